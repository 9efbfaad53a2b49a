import pytest

from spacrd_core.dry_run.rates import training_time
from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.model.options import HeadOptions


def test_the_time_of_trainings_grows_with_spots_and_members() -> None:
    one, three = (training_time([(TrainOptions(seeds=seeds), 1000.0)], 0).seconds for seeds in (1, 3))
    assert one
    assert three == pytest.approx(3 * one)


@pytest.mark.parametrize(
    "head",
    [HeadOptions(name="theirs"), HeadOptions(options={"preset": "paper"}), HeadOptions(epochs={"detect": 900})],
)
def test_heads_and_options_that_were_not_measured_have_no_time(head: HeadOptions) -> None:
    assert training_time([(TrainOptions(head=head), 1000.0)], 4).seconds is None
