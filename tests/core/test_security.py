"""Security floors: which versions they exclude, and that the package's requirements agree with them."""

import re
import tomllib
from pathlib import Path

import pytest

from spacrd_core.security import HDF5, LIBRARY_FLOORS, TORCH, SecurityFloor

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize("version", ["2.9.1", "2.5.1+cu121", "2.10.0a0+git1", "2.10.0rc2", "1.13", "unknown"])
def test_a_version_below_the_floor_is_excluded(version: str) -> None:
    assert TORCH.excludes(version)


@pytest.mark.parametrize("version", ["2.10", "2.10.0", "2.10.0+cu128", "2.11.0", "3.0"])
def test_the_floor_and_newer_versions_are_not_excluded(version: str) -> None:
    assert not TORCH.excludes(version)


@pytest.mark.parametrize(
    ("version", "excluded"),
    [("1.14.2", True), ("1.14.4", True), ("1.14.4-2", False), ("1.14.4-3", False), ("1.14.6", False), ("2.0.0", False)],
)
def test_patches_of_hdf5_are_compared_by_the_number_after_the_hyphen(version: str, excluded: bool) -> None:  # noqa: FBT001
    assert HDF5.excludes(version) == excluded


@pytest.mark.parametrize("floor", LIBRARY_FLOORS, ids=lambda floor: floor.library)
def test_the_requirements_of_the_package_are_the_floors(floor: SecurityFloor) -> None:
    requirements = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    assert f"{floor.library}>={floor.version}" in {requirement.partition(",")[0] for requirement in requirements}


@pytest.mark.parametrize("floor", [*LIBRARY_FLOORS, HDF5], ids=lambda floor: floor.library)
def test_the_requirements_name_the_same_advisories(floor: SecurityFloor) -> None:
    library = {"hdf5": "h5py"}.get(floor.library, floor.library)
    line = re.search(rf'^  "{library}>=.*$', PYPROJECT.read_text(), re.MULTILINE)
    assert line
    assert set(re.findall(r"CVE-[\d-]+\d|GHSA(?:-\w{4}){3}", line[0])) == set(floor.advisories.split(", "))
