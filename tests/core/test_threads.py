import threading
from collections.abc import Iterator

import pytest

from spacrd_core import threads
from spacrd_core.threads import beside, prefetch, prefetch_items


def test_results_come_in_the_order_of_the_parts_even_if_later_ones_finish_first() -> None:
    later = threading.Event()

    def work(part: int) -> int:
        if part == 0:
            assert later.wait(20)
        if part == 3:
            later.set()
        return part * part

    assert list(prefetch(work, range(6), threads=2, max_ahead=4)) == [0, 1, 4, 9, 16, 25]


def test_the_number_of_parts_started_in_advance_is_limited() -> None:
    started: list[int] = []
    results = prefetch(started.append, range(100), threads=4, max_ahead=3)
    next(results)
    results.close()
    assert len(started) <= 4


def test_an_error_is_raised_in_order_and_stops_the_work() -> None:
    started: list[int] = []

    def work(part: int) -> float:
        started.append(part)
        return 1 / (2 - part)

    results = prefetch(work, range(100), threads=1, max_ahead=2)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(started) <= 5


def test_items_are_fetched_in_advance_up_to_the_limit() -> None:
    fetched: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            fetched.append(number)
            if number == 2:
                third.set()
            yield number

    items_ahead = prefetch_items(items(), max_ahead=2)
    assert next(items_ahead) == 0
    assert third.wait(20), "two items were fetched in advance"
    items_ahead.close()
    assert len(fetched) <= 4


def test_all_items_come_in_order_also_if_there_are_none() -> None:
    assert list(prefetch_items(iter(range(20)), max_ahead=3)) == list(range(20))
    assert list(prefetch_items(iter(()), max_ahead=3)) == []


def test_an_error_in_fetching_items_is_raised_to_the_consumer() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("no more")

    items_ahead = prefetch_items(items(), max_ahead=1)
    assert next(items_ahead) == 1
    with pytest.raises(RuntimeError, match="no more"):
        next(items_ahead)


@pytest.mark.parametrize("limit", [1, 3])
def test_parts_beside_a_block_are_done_when_it_ends(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(threads, "_limit", limit)
    done: list[int] = []
    with beside(done.append, [1, 2]):
        assert limit > 1 or done == [1, 2]
    assert sorted(done) == [1, 2]


def test_a_process_limited_to_one_thread_works_beside_a_block_without_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_limit", 1)
    used: list[int] = []
    with beside(lambda _: used.append(threading.get_ident()), [1, 2]):
        pass
    assert {*used} == {threading.get_ident()}


@pytest.mark.parametrize("limit", [1, 2])
def test_an_error_beside_a_block_is_raised(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(threads, "_limit", limit)
    with pytest.raises(ZeroDivisionError), beside(lambda part: 1 / part, [0]):
        pass
