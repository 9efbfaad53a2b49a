"""Errors of the operating system as sentences: what cannot be written, why, and what to do about it."""

import errno
import os
import pickle
from pathlib import Path

import pytest

from spacrd_cli.terminal.errors import describe_error
from spacrd_core.errors import OutputError
from spacrd_core.executors.task import Worker, attempt
from spacrd_core.system_errors import NO_FILES_LEFT, explain, explained

REMEDIES = {
    errno.ENOSPC: "free some room",
    errno.EDQUOT: "in your quota",
    errno.EFBIG: "ulimit -f",
    errno.EROFS: "name a place that you may write to",
}


class Failing:
    """A task that meets an error of the system."""

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self, _: Worker) -> None:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(("number", "remedy"), REMEDIES.items(), ids=errno.errorcode.get)
def test_an_error_that_only_writing_causes_is_explained_wherever_it_is_met(
    number: int, remedy: str, tmp_path: Path
) -> None:
    sentence = f"cannot be written: {os.strerror(number)}"
    with pytest.raises(OutputError, match=f"new {sentence}") as caught, explained(tmp_path / "new"):
        raise OSError(number, os.strerror(number))
    assert remedy in caught.value.hint
    outcome = attempt(Failing(number), Worker())
    sent = pickle.loads(pickle.dumps(outcome.error))  # noqa: S301 - our own
    assert isinstance(sent, OutputError)
    assert (str(sent), remedy in sent.hint) == (f"a file {sentence}", True)
    assert not outcome.retryable
    text, code = describe_error(OSError(number, os.strerror(number), "results/S1.h5ad"))
    assert (text.splitlines()[0], code) == (f"error: results/S1.h5ad {sentence}", 1)
    assert remedy in text.splitlines()[1]


def test_other_errors_pass_unless_all_are_about_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), explained(tmp_path):
        (tmp_path / "none").read_text()
    assert explain(FileNotFoundError(errno.ENOENT, "none")) is None
    broken = "cannot be written: Input/output error"
    with pytest.raises(OutputError, match=broken) as caught, explained(tmp_path, always=True):
        raise OSError(errno.EIO, "broken")
    assert "may be broken" in caught.value.hint


def test_a_file_system_without_inodes_has_its_own_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.statvfs_result((4096, 4096, 100, 50, 50, 1000, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: status)
    with pytest.raises(OutputError) as caught, explained(tmp_path / "new"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.hint == NO_FILES_LEFT
