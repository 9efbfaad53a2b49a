from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from spacrd_core.threads import ahead, prefetched

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_results_come_in_the_order_of_the_parts_though_later_ones_are_done_first() -> None:
    later = threading.Event()

    def work(part: int) -> int:
        if part == 0:
            assert later.wait(20)
        if part == 3:
            later.set()
        return part * part

    assert list(ahead(work, range(6), threads=2, most=4)) == [0, 1, 4, 9, 16, 25]


def test_no_more_parts_are_begun_than_may_wait() -> None:
    begun: list[int] = []
    results = ahead(begun.append, range(100), threads=4, most=3)
    next(results)
    results.close()
    assert len(begun) <= 4


def test_an_error_is_raised_in_its_turn_and_ends_the_work() -> None:
    begun: list[int] = []

    def work(part: int) -> float:
        begun.append(part)
        return 1 / (2 - part)

    results = ahead(work, range(100), threads=1, most=2)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(begun) <= 5


def test_items_are_got_while_those_before_are_used_and_no_more_than_may_wait() -> None:
    got: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            got.append(number)
            if number == 2:
                third.set()
            yield number

    with_three = prefetched(items(), most=2)
    assert next(with_three) == 0
    assert third.wait(20), "two more were got before they were asked for"
    with_three.close()
    assert len(got) <= 4


def test_all_items_come_in_order_and_none_are_no_items() -> None:
    assert list(prefetched(iter(range(20)), most=3)) == list(range(20))
    assert list(prefetched(iter(()), most=3)) == []


def test_an_error_in_getting_items_reaches_who_uses_them() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("no more")

    found = prefetched(items(), most=1)
    assert next(found) == 1
    with pytest.raises(RuntimeError, match="no more"):
        next(found)
