import time

import pytest
import torch

from spacrd_core.embedding.timing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(torch.device("cpu"))


def test_seconds_add_up_by_part(clock: Clock) -> None:
    for _ in range(2):
        with clock.measure("encode"):
            time.sleep(0.02)
    with clock.measure("write"):
        pass
    assert clock.seconds["encode"] >= 0.04
    assert clock.seconds["write"] < 0.02


def test_getting_items_is_counted_and_using_them_is_not(clock: Clock) -> None:
    def slow() -> list[int]:
        time.sleep(0.02)
        return [1, 2]

    seen = []
    for item in clock.measure_each("read", (number for number in slow())):
        seen.append(item)
        time.sleep(0.02)
    assert seen == [1, 2]
    assert clock.seconds["read"] < 0.03


def test_a_sentence_for_the_user_is_kept_once(clock: Clock) -> None:
    for sentence in ("one", "two", "one"):
        clock.note(sentence)
    assert clock.notes == ["one", "two"]
