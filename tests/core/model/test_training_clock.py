"""The time that a training still takes."""

import pytest

from spacrd_core.model.held_out_group import HeldOutGroup
from spacrd_core.model.training_clock import TrainingClock

NEW, KEPT = HeldOutGroup(("A",), []), HeldOutGroup(("B",), [], kept=1)


def after(clock: TrainingClock, seconds: float) -> TrainingClock:
    """The clock when so many seconds have passed."""
    clock._began -= seconds
    return clock


def test_before_anything_is_done_nothing_is_said() -> None:
    assert after(TrainingClock(groups=4), 10).seconds_left() is None


def test_epochs_tell_before_a_model_is_done() -> None:
    assert after(TrainingClock(groups=4), 10).seconds_left(0.5) == pytest.approx(90, abs=1)


def test_models_that_are_done_tell_how_long_the_others_take() -> None:
    clock = after(TrainingClock(groups=4), 20)
    clock.record(NEW)
    assert clock.seconds_left() == pytest.approx(80, abs=1)
    assert after(clock, 10).seconds_left(0.5) == pytest.approx(70, abs=1)


def test_several_workers_share_the_groups_but_not_the_final_model() -> None:
    clock = after(TrainingClock(groups=4), 20)
    for _ in range(2):  # two workers, which end together
        clock.record(NEW)
    assert clock.seconds_left() == pytest.approx(20 + 20, abs=1)


def test_the_final_model_is_measured_by_its_own_epochs() -> None:
    clock = after(TrainingClock(groups=1), 100)
    clock.record(NEW)
    clock.begin_final()
    assert after(clock, 30).seconds_left(0.25) == pytest.approx(90, abs=1)
    assert clock.seconds_left(1.0) == 0


def test_kept_groups_took_no_time() -> None:
    clock = TrainingClock(groups=4)
    clock.record(KEPT)
    assert clock.seconds_left() is None
    assert after(clock, 20).seconds_left(0.5) == pytest.approx(140, abs=1)
    assert (clock.models_done, clock.models) == (1, 5)
