"""Options of one section, and the section id that a path suggests."""

from pathlib import Path

import pytest

from spacrd_core.errors import SpacrdError
from spacrd_core.ingestion.options import IngestOptions, default_name
from spacrd_core.section.section import ImageInputs


def test_a_reader_is_a_name_or_a_table(tmp_path: Path) -> None:
    by_name = IngestOptions.model_validate({"path": tmp_path, "reader": "st"}).reader
    by_table = IngestOptions.model_validate({"path": tmp_path, "reader": {"name": "st", "spots": "x.tsv"}}).reader
    assert (by_name.name, by_name.options) == ("st", {})
    assert (by_table.name, by_table.options) == ("st", {"spots": "x.tsv"})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("run1/outs", "run1"),
        ("run1/outs/filtered_feature_bc_matrix.h5", "run1"),
        ("run1/outs/binned_outputs/square_008um", "run1"),
        ("bundle/experiment.xenium", "bundle"),
        ("object.zarr/tables/table", "table"),
        ("object.zarr/tables", "object"),
        ("outsider", "outsider"),
    ],
)
def test_parts_of_a_run_take_its_name(tmp_path: Path, path: str, name: str) -> None:
    assert default_name(tmp_path / path) == name


def test_default_names_end_at_the_first_dot(tmp_path: Path) -> None:
    assert default_name(tmp_path / "A1.tsv.gz") == "A1"


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(SpacrdError):
        ImageInputs(um_per_px=-1.0)


@pytest.mark.parametrize(("value", "text"), [(-2, "-2"), ("-2", "-2"), ("lung 1", "lung 1")])
def test_the_section_of_a_label_table_is_text_even_if_it_is_a_number(tmp_path: Path, value: object, text: str) -> None:
    assert IngestOptions.model_validate({"path": tmp_path, "label_section": value}).label_section == text
