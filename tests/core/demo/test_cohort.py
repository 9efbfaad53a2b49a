"""The demo cohort: its files, reproducibility, and differences between patients."""

from pathlib import Path

import pytest

from spacrd_core.demo.cohort import COHORT_COLUMNS, PLATFORMS, demo_specimen, write_demo_cohort
from spacrd_core.demo.specimen import Specimen
from spacrd_core.ingestion.cohort_file import read_cohort


def test_the_table_has_the_columns_of_ingest_and_names_files_that_exist(
    cohort: Path, rows: dict[str, dict[str, str]]
) -> None:
    assert {tuple(row) for row in rows.values()} == {COHORT_COLUMNS}
    sections = read_cohort(cohort, {})
    assert [(section.name, section.patient) for section in sections] == [("S1", "P1"), ("S2", "P2"), ("S3", "P3")]
    for section in sections:
        assert section.path.exists()
        assert all(file is None or file.is_file() for file in (section.labels, section.image, section.alignment))


def test_two_patients_of_each_training_platform_can_be_held_out_in_turn_and_xenium_is_new() -> None:
    assert {platform: PLATFORMS.count(platform) for platform in PLATFORMS} == {"st": 2, "visium": 2, "xenium": 1}
    assert PLATFORMS[-1] == "xenium"


@pytest.mark.slow
def test_the_same_seed_writes_the_same_bytes_independent_of_later_sections(cohort: Path, tmp_path: Path) -> None:
    again = write_demo_cohort(tmp_path, platforms=("st", "visium"))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != again]
    assert len(files) == 11
    for file in files:
        assert file.read_bytes() == (cohort.parent / file.relative_to(tmp_path)).read_bytes(), file.name


@pytest.mark.slow
def test_patients_differ(specimen: Specimen) -> None:
    other = demo_specimen(2, "st", seed=7)
    assert other.tissue.centre_um != specimen.tissue.centre_um
    assert abs(specimen.picture[::50, ::50].mean() - other.picture[::50, ::50].mean()) > 0.5
    assert (specimen.programmes.expression != other.programmes.expression).any()


def test_a_patient_has_the_same_tissue_on_every_platform_but_not_the_same_sensitivity(specimen: Specimen) -> None:
    elsewhere = demo_specimen(1, "visium", seed=7)
    share = elsewhere.tissue.radius_um / specimen.tissue.radius_um
    assert share < 0.6  # a smaller piece of it
    assert elsewhere.tissue.centre_um == specimen.tissue.centre_um
    ratio = elsewhere.programmes.expression / specimen.programmes.expression
    assert ratio.std() > 0.2
    assert (abs(ratio - ratio[0]) < 1e-9).all()  # per gene, the same in every class


@pytest.mark.slow
def test_a_cohort_that_was_half_written_is_written_again(tmp_path: Path) -> None:
    first = write_demo_cohort(tmp_path, platforms=("xenium",))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    first.unlink()
    write_demo_cohort(tmp_path, platforms=("xenium",))
    assert {path: path.read_bytes() for path in before} == before
