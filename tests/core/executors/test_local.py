import pickle
from functools import partial

from spacrd_core.executors.local import Local

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
