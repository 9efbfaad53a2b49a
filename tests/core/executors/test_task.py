import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from spacrd_core.errors import CountsError, WorkerError
from spacrd_core.executors.task import Worker, attempt
from spacrd_core.executors.working_folder import WorkingFolder


@dataclass(frozen=True)
class Failing:
    error: Exception

    def run(self, worker: Worker) -> None:
        raise self.error


def test_an_error_that_we_raise_on_purpose_is_final() -> None:
    outcome = attempt(Failing(CountsError("no counts", hint="look")), Worker())
    assert (type(outcome.error), outcome.retryable) == (CountsError, False)


def test_all_reasons_of_a_group_are_kept() -> None:
    group = ExceptionGroup("no reader", [CountsError("one"), CountsError("two")])
    outcome = attempt(Failing(group), Worker())
    assert (outcome.error, outcome.retryable) == (group, False)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (OSError(13, "Permission denied", "S1.h5ad"), "operating system error: Permission denied: S1.h5ad"),
        (ExceptionGroup("both", [CountsError("one"), KeyError("x")]), "ExceptionGroup: both (2 sub-exceptions)"),
    ],
)
def test_an_unexpected_error_can_be_sent_and_keeps_its_traceback(error: Exception, text: str) -> None:
    outcome = attempt(Failing(error), Worker())
    back = pickle.loads(pickle.dumps(outcome.error))  # noqa: S301 - our own
    assert isinstance(back, WorkerError)
    assert (str(back), outcome.retryable) == (text, True)
    assert "in run" in back.__notes__[-1]


def test_a_path_is_kept_where_the_command_runs_and_absolute_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here = WorkingFolder(), Path.cwd()
    assert folder.find(Path("store")) == Path("store")
    monkeypatch.chdir(tmp_path)
    assert folder.find(Path("store")) == here / "store"
    assert folder.find(Path("/store")) == Path("/store")
