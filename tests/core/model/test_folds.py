"""Which patients are held out together."""

import pytest
from core.conftest import MakeData
from pydantic import ValidationError

from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.model.folds import Folds, deal, fold_count

NAMES = [f"P{number:02}" for number in range(16)]


@pytest.mark.parametrize(
    ("patients", "folds", "expected"),
    [(9, None, 9), (10, None, 8), (60, None, 8), (60, "patients", 60), (9, 3, 3), (3, 8, 3), (1, None, 1)],
)
def test_patients_are_held_out_alone_below_ten_and_in_eight_groups_from_ten_on(
    patients: int, folds: Folds | None, expected: int
) -> None:
    assert fold_count(patients, folds) == expected


def test_every_patient_is_in_one_group_and_groups_are_of_equal_size() -> None:
    groups = deal(NAMES, 5, seed=42)
    assert sorted(name for group in groups for name in group) == NAMES
    assert sorted(map(len, groups)) == [3, 3, 3, 3, 4]


def test_as_many_groups_as_patients_are_the_patients_by_name_whatever_the_seed() -> None:
    assert deal(["C", "A", "B"], 3, seed=1) == deal(["B", "A", "C"], 3, seed=2) == (("A",), ("B",), ("C",))


def test_groups_depend_on_the_names_and_the_seed_not_on_the_order() -> None:
    assert deal(NAMES, 5, seed=42) == deal(NAMES[::-1], 5, seed=42)
    assert deal(NAMES, 5, seed=42) != deal(NAMES, 5, seed=43)


@pytest.mark.parametrize("folds", [1, 0, "sections"])
def test_one_group_is_refused(folds: object) -> None:
    with pytest.raises(ValidationError, match="folds"):
        TrainOptions.model_validate({"folds": folds})


def test_a_training_deals_its_patients_by_its_first_seed(make_data: MakeData) -> None:
    sections = [make_data(name, number) for number, name in enumerate(NAMES)]
    assert TrainOptions(first_seed=7).groups(sections) == deal(NAMES, 8, seed=7)
