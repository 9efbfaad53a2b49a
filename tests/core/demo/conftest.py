"""Sections of the demo cohort, one per platform, as files and as specimens."""

import csv
from pathlib import Path

import pytest

from spacrd_core.demo import cohort as demo
from spacrd_core.demo.cohort import demo_specimen, write_demo_cohort
from spacrd_core.demo.measure import Spots, measure_st
from spacrd_core.demo.specimen import Specimen

DRAW = demo.write_demo_section  # as it is before tests draw every section once


@pytest.fixture(autouse=True)
def _draw_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw sections again in these tests."""
    monkeypatch.setattr(demo, "write_demo_section", DRAW)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort table of S1 (ST), S2 (Visium) and S3 (Xenium)."""
    return write_demo_cohort(tmp_path_factory.mktemp("demo"), platforms=("st", "visium", "xenium"))


@pytest.fixture(scope="session")
def rows(cohort: Path) -> dict[str, dict[str, str]]:
    """The rows of the cohort table by platform."""
    with cohort.open(newline="", encoding="utf-8") as stream:
        return {row["reader"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="session")
def specimen() -> Specimen:
    """The tissue of S1."""
    return demo_specimen(1, "st", seed=7)


@pytest.fixture(scope="session")
def spots(specimen: Specimen) -> Spots:
    """The spots of S1 on legacy ST."""
    return measure_st(specimen)
