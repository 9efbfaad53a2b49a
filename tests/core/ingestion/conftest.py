"""Two sections as files of legacy ST, and an empty store."""

from pathlib import Path

import pytest

from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.store.store import SpotStore


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort file of two sections."""
    return write_demo_cohort(tmp_path_factory.mktemp("cohort"), platforms=("st", "st"))


@pytest.fixture
def sections(cohort: Path) -> list[IngestOptions]:
    """The options of both sections, without images, which are slow to write."""
    return read_cohort(cohort, {"no_image": True})


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    return SpotStore.create(tmp_path / "store")
