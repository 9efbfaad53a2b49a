import pickle
import tempfile
from functools import partial
from pathlib import Path

import pytest

from spacrd_core.executors.dask import Dask
from spacrd_core.executors.local import Local, for_workers
from spacrd_core.executors.processes import Processes

made: list[str] = []


def make(name: str, device: str = "") -> list[str]:
    made.append(name)
    return [name, device]


def sent(local: Local[list[str]]) -> Local[list[str]]:
    """A local value as another process receives it."""
    received: Local[list[str]] = pickle.loads(pickle.dumps(local))  # noqa: S301 - our own
    return received


def test_a_value_stays_in_its_process_and_another_one_makes_it_once() -> None:
    made.clear()
    here = Local(partial(make, "A"), ["large"])
    assert here.get("cpu") == ["large"]
    assert made == []
    assert [sent(here).get("cpu"), sent(sent(here)).get("cpu")] == [["A", "cpu"]] * 2
    assert made == ["A"]


def test_other_arguments_make_another_value() -> None:
    made.clear()
    there = sent(Local(partial(make, "B"), []))
    assert [there.get("cuda:0"), there.get("cuda:1")] == [["B", "cuda:0"], ["B", "cuda:1"]]


def test_what_is_sent_does_not_contain_the_value() -> None:
    assert len(pickle.dumps(Local(partial(make, "C"), ["x" * 10**6]))) < 1000


def test_workers_of_this_machine_read_it_from_a_file_that_is_written_when_it_is_sent(tmp_path: Path) -> None:
    made.clear()
    here = Local(partial(make, "D"), ["large"], tmp_path / "value")
    assert not (tmp_path / "value").exists()
    assert sent(here).get() == ["large"]
    assert made == []


def test_without_room_for_a_file_workers_make_it(tmp_path: Path) -> None:
    made.clear()
    here = Local(partial(make, "E"), ["large"], tmp_path / "no folder" / "value")
    assert sent(here).get() == ["E", ""]
    assert made == ["E"]


def test_workers_of_another_machine_make_it() -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    made.clear()
    with for_workers(Dask("tcp://host:8786"), partial(make, "F"), ["large"]) as there:
        assert sent(there).get() == ["F", ""]
    with for_workers(Processes(2), partial(make, "G"), ["large"]) as here:
        assert sent(here).get() == ["large"]
    assert made == ["F"]


def test_the_temporary_file_of_a_killed_command_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / ".spacrd-abcd1234"
    killed.mkdir()
    (killed / "value").write_text("large")
    with for_workers(Processes(2), partial(make, "H"), ["large"]):
        assert not killed.exists()
    assert not [*tmp_path.iterdir()]
