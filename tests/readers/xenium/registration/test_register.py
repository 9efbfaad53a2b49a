"""The registration of an H&E with cells, on tissue whose place is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bundles.nuclei import NuclearBundle, NuclearTissue
from bundles.tissue import Floats, Pose
from PIL import Image

from spacrd_core.demo.write_tenx import write_tiff
from spacrd_readers.xenium.automatic import to_morphology_px
from spacrd_readers.xenium.registration.cell_density import count_cells
from spacrd_readers.xenium.registration.nuclear_density import read_nuclear_density
from spacrd_readers.xenium.registration.register import Registration, register

PIXEL_SIZE = 0.2125
QUARTERS = ((0, 0.0), (90, 1.0), (180, -1.0), (270, 3.0))  # degrees, and a tilt
BUNDLE = NuclearBundle()
TURNS = [
    pytest.param((degrees + tilt, mirrored), marks=[] if degrees == 90 else pytest.mark.slow)
    for degrees, tilt in QUARTERS
    for mirrored in (False, True)
]


@dataclass(frozen=True)
class Case:
    """An H&E in a folder, and what was found for it."""

    registration: Registration
    matrix: Floats


def align(
    folder: Path, pose: Pose, cells: Floats, tissue: NuclearTissue = BUNDLE.tissue, *, columns: int | None = None
) -> Case:
    """Register cells with the H&E of a tissue at a pose, or with its first columns."""
    path = folder / "he.tif"
    write_tiff(path, tissue.picture(pose)[:, :columns], um_per_px=pose.um_per_px)
    return register_file(path, cells)


def register_file(path: Path, cells: Floats) -> Case:
    he = read_nuclear_density(path)
    found = register(he, count_cells(cells))
    assert found is not None
    return Case(found, to_morphology_px(found.placement, he, PIXEL_SIZE))


def error_um(case: Case, pose: Pose, cells: Floats) -> float:
    """Return how far a cell is from where the alignment puts it, at most."""
    on_he = pose.to_px(BUNDLE.tissue, cells)
    found = on_he @ case.matrix[:2, :2].T + case.matrix[:2, 2]
    return float(np.linalg.norm(found * PIXEL_SIZE - cells, axis=1).max())


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("turn", TURNS)
def test_an_h_and_e_in_any_turn_is_aligned_within_half_a_spot(tmp_path: Path, turn: tuple[float, bool]) -> None:
    pose = Pose(um_per_px=4.0, degrees=turn[0], mirrored=turn[1])
    case = align(tmp_path, pose, BUNDLE.centroids)
    assert case.registration.is_certain, case.registration.doubts
    assert error_um(case, pose, BUNDLE.centroids) < 25


@pytest.mark.slow
@pytest.mark.parametrize("um_per_px", [2.0, 5.5])
def test_the_um_per_px_of_the_h_and_e_need_not_be_known(tmp_path: Path, um_per_px: float) -> None:
    pose = Pose(um_per_px=um_per_px, degrees=91.0)
    path = tmp_path / "he.png"
    Image.fromarray(BUNDLE.tissue.picture(pose)).save(path)
    case = register_file(path, BUNDLE.centroids)
    assert case.registration.is_certain, case.registration.doubts
    assert error_um(case, pose, BUNDLE.centroids) < 25


def test_few_cells_are_enough(tmp_path: Path) -> None:
    pose = Pose(um_per_px=4.0, degrees=180.0)
    cells = NuclearBundle(share=0.3, miss_um=4.0).centroids
    case = align(tmp_path, pose, cells)
    assert case.registration.is_certain, case.registration.doubts
    assert error_um(case, pose, cells) < 50


@pytest.mark.slow
def test_the_h_and_e_may_be_larger_than_the_capture_area(tmp_path: Path) -> None:
    pose = Pose(um_per_px=4.0, degrees=270.0)
    cells = BUNDLE.centroids[(BUNDLE.centroids < (1900, 1700)).all(axis=1)]
    case = align(tmp_path, pose, cells)
    assert case.registration.is_certain, case.registration.doubts
    assert error_um(case, pose, cells) < 50


@pytest.mark.slow
def test_the_capture_area_may_be_larger_than_the_h_and_e(tmp_path: Path) -> None:
    pose = Pose(um_per_px=4.0)
    case = align(tmp_path, pose, BUNDLE.centroids, columns=495)
    assert case.registration.is_certain, case.registration.doubts
    assert error_um(case, pose, BUNDLE.centroids) < 50


@pytest.mark.slow
def test_another_tissue_of_the_same_size_is_not_certain(tmp_path: Path) -> None:
    case = align(tmp_path, Pose(um_per_px=4.0), BUNDLE.centroids, NuclearTissue(seed=1))
    assert not case.registration.is_certain
    assert case.registration.score < 0.4


@pytest.mark.slow
def test_a_tissue_that_looks_the_same_when_it_is_turned_is_not_certain(tmp_path: Path) -> None:
    tissue = NuclearTissue(lattice=True)
    cells = NuclearBundle(tissue, share=1.0, miss_um=0.0).centroids
    case = align(tmp_path, Pose(um_per_px=4.0), cells, tissue)
    assert not case.registration.is_certain


@pytest.mark.slow
def test_a_tissue_without_any_structure_is_not_certain(tmp_path: Path) -> None:
    tissue = NuclearTissue(lattice=True)
    cells = np.random.default_rng(3).uniform((0, 0), tissue.size_um, (20_000, 2))
    case = align(tmp_path, Pose(um_per_px=4.0), cells, tissue)
    assert not case.registration.is_certain
