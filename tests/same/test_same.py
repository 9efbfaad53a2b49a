"""One seed gives one result, byte for byte, whatever else a user or a machine chooses."""

import fnmatch
import sys
from pathlib import Path

import pytest

from same.chain import COHORT
from same.compare import Workshop, write_cohort, write_small_cohort
from same.left import MAY_DIFFER, differences
from same.variants import ALONE, TOGETHER, USUAL, Variant

REAL, LABELS = ("A2", "B4", "C2"), "labels_transferred/{}.csv"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("same")
    return Workshop(folder, write_small_cohort(folder))


@pytest.fixture(scope="module")
def usual(workshop: Workshop) -> dict[str, str]:
    """The checksums of what the usual run leaves."""
    return workshop.run(USUAL)


@pytest.fixture(scope="module")
def real(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Three real sections of three patients."""
    folder = tmp_path_factory.mktemp("real")
    rows = [
        {
            "path": her2st / f"ST-cnts/{name}.tsv.gz",
            "name": name,
            "patient": name[0],
            "labels": her2st / LABELS.format(name),
        }
        for name in REAL
    ]
    return Workshop(folder, write_cohort(folder / COHORT, rows))


@pytest.fixture(scope="module")
def usual_of_real(real: Workshop) -> dict[str, str]:
    return real.run(USUAL)


def require(workshop: Workshop, variant: Variant) -> None:
    if reason := workshop.missing(variant):
        pytest.skip(reason)


@pytest.mark.parametrize("variant", TOGETHER, ids=str)
def test_everything_at_once_changes_no_byte(workshop: Workshop, usual: dict[str, str], variant: Variant) -> None:
    require(workshop, variant)
    assert differences(workshop.run(variant), usual) == []


@pytest.mark.slow
@pytest.mark.parametrize("variant", ALONE, ids=str)
def test_nothing_alone_changes_a_byte(
    workshop: Workshop, usual: dict[str, str], variant: Variant, capsys: pytest.CaptureFixture[str]
) -> None:
    require(workshop, variant)
    found = differences(workshop.run(variant), usual)
    with capsys.disabled():
        sys.stdout.write(f"\n{variant.axis:<18} {variant.name:<30} {len(usual):>4} files, {len(found)} differ ")
    assert found == []


@pytest.mark.slow
@pytest.mark.her2st
@pytest.mark.parametrize("variant", TOGETHER, ids=str)
def test_everything_at_once_changes_no_byte_of_real_sections(
    real: Workshop, usual_of_real: dict[str, str], variant: Variant
) -> None:
    require(real, variant)
    assert differences(real.run(variant), usual_of_real) == []


def test_all_that_is_tried_alone_is_tried_at_once_too() -> None:
    alone, at_once = (set[str]().union(*(variant.changes for variant in variants)) for variants in (ALONE, TOGETHER))
    assert alone <= at_once


def test_what_may_differ_is_there(usual: dict[str, str]) -> None:
    assert all(fnmatch.filter(usual, name) for name in MAY_DIFFER)
