from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tissue import Pose, Tissue

from spacrd_core.arrays import Array
from spacrd_core.images.raster import ArrayImage, open_raster
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px
from spacrd_core.slide.pyramid import Pyramid, write_pyramid
from spacrd_core.slide.tissue import background_colour, spots_on_tissue, stained_mask

SMALL = Tissue(size_um=(1200.0, 900.0), square_um=(300.0, 200.0, 700.0, 600.0))


def stored(folder: Path, pixels: Array, um_per_px: float) -> Pyramid:
    write_pyramid(ArrayImage(pixels), folder, um_per_px=um_per_px)
    return Pyramid.open(folder)


def grid(width: float, height: float, pitch: float = 60.0) -> Array:
    x, y = np.meshgrid(np.arange(pitch / 2, width, pitch), np.arange(pitch / 2, height, pitch))
    return np.column_stack([x.ravel(), y.ravel()])


@pytest.mark.parametrize(
    "pose",
    [Pose(2.0), Pose(0.9, degrees=33.0), Pose(4.0, mirrored=True), Pose(9.0, degrees=90.0)],
    ids=["upright", "turned", "mirrored", "coarse"],
)
def test_spots_on_tissue_are_distinguished_from_spots_on_background(tmp_path: Path, pose: Pose) -> None:
    pyramid = stored(tmp_path, SMALL.picture(pose), pose.um_per_px)
    width, height = pose.size_px(SMALL)
    centres = grid(width * pose.um_per_px, height * pose.um_per_px)
    distance = np.maximum(*np.abs(pose.to_um(SMALL, centres / pose.um_per_px) - [600, 450]).T - [[600], [450]])
    mask = spots_on_tissue(pyramid, centres, spot_um=55.0)
    assert mask[distance < -40].all()
    assert not mask[distance > 50].any()
    assert (distance > 50).sum() > 20


def test_spots_outside_the_image_are_not_on_tissue_and_spots_on_its_edge_are_judged_by_the_part_inside(
    tmp_path: Path,
) -> None:
    pyramid = stored(tmp_path, np.full((100, 100, 3), (150, 80, 160), dtype=np.uint8), 5.0)
    centres = np.array([[250.0, 250.0], [-60.0, 250.0], [250.0, 580.0], [1e7, -1e7], [-40.0, 250.0], [490.0, 510.0]])
    assert spots_on_tissue(pyramid, centres, spot_um=100.0).tolist() == [True, False, False, False, True, True]


def test_a_spot_smaller_than_a_px_of_the_coarse_level_is_judged_by_that_px(tmp_path: Path) -> None:
    pixels = np.full((100, 100, 3), 245, dtype=np.uint8)
    pixels[:, 50:] = (150, 80, 160)
    pyramid = stored(tmp_path, pixels, 8.0)
    assert spots_on_tissue(pyramid, np.array([[396.0, 100.0], [404.0, 100.0]]), spot_um=2.0).tolist() == [False, True]


@pytest.mark.parametrize(
    "colour", [(255, 255, 255), (244, 243, 240), (222, 211, 227), (236, 219, 235), (200, 200, 205)]
)
def test_background_of_any_tint_is_recognised(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    pixels = np.full((300, 300, 3), colour, dtype=np.uint8)
    pixels[100:200, 100:200] = (np.array(colour) * (0.85, 0.6, 0.8)).astype(np.uint8)  # eosin absorbs mostly green
    pyramid = stored(tmp_path, pixels, 4.0)
    assert np.abs(background_colour(pyramid) - colour).max() <= 2
    assert spots_on_tissue(pyramid, np.array([[600.0, 600.0], [200.0, 200.0]]), spot_um=100.0).tolist() == [True, False]


def test_pure_white_is_not_used_as_background_colour(tmp_path: Path) -> None:
    pixels = np.full((300, 300, 3), 255, dtype=np.uint8)
    pixels[:, 200:] = (222, 211, 227)
    pixels[100:200, 230:270] = (190, 120, 170)
    pyramid = stored(tmp_path, pixels, 4.0)
    centres = np.array([[100.0, 600.0], [840.0, 100.0], [1000.0, 600.0]])
    assert spots_on_tissue(pyramid, centres, spot_um=80.0).tolist() == [False, False, True]


def test_an_image_without_background_is_tissue_everywhere(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal((190, 120, 170), 15, (300, 300, 3)), 0, 255).astype(np.uint8)
    assert spots_on_tissue(stored(tmp_path, pixels, 4.0), grid(1200, 1200), spot_um=55.0).all()


def test_a_halo_of_washed_out_eosin_is_background(tmp_path: Path) -> None:
    pixels = np.full((300, 300, 3), (246, 242, 242), dtype=np.uint8)
    pixels[100:200, 100:200] = (246, 218, 232)
    assert not spots_on_tissue(stored(tmp_path, pixels, 4.0), grid(1200, 1200), spot_um=55.0).any()


def test_a_blacked_out_background_is_not_tissue(tmp_path: Path) -> None:
    pixels = np.full((300, 300, 3), 245, dtype=np.uint8)
    pixels[:, :80] = 0
    assert not spots_on_tissue(stored(tmp_path, pixels, 4.0), grid(1200, 1200, 100), spot_um=20.0)[::12].any()


def test_fat_is_tissue_although_only_its_membranes_are_stained(tmp_path: Path) -> None:
    pixels = np.full((1000, 1000, 3), 243, dtype=np.uint8)
    for start in range(0, 500, 60):  # cells of 60 um, membranes of 4 um
        pixels[start : start + 4, :500] = pixels[:500, start : start + 4] = (180, 110, 165)
    centres = grid(1000, 1000, 50)
    mask = spots_on_tissue(stored(tmp_path, pixels, 1.0), centres, spot_um=100.0)
    assert mask[(centres < 450).all(axis=1)].mean() > 0.8
    assert not mask[(centres > 560).any(axis=1)].any()


def test_the_mask_does_not_depend_on_the_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyramid = stored(tmp_path, SMALL.picture(Pose(2.0)), 2.0)
    colour = background_colour(pyramid)
    whole = stained_mask(pyramid.levels[0], colour)
    monkeypatch.setattr("spacrd_core.slide.tissue.BAND_ROWS", 7)
    np.testing.assert_array_equal(stained_mask(pyramid.levels[0], colour), whole)
    assert 0.3 < whole.mean() < 0.9


@pytest.mark.ci_cases(1)
@pytest.mark.her2st
@pytest.mark.parametrize(("section", "image"), [("B4", "BT10737_D2_HE.jpg"), ("C2", "5714_HE_BT_C2.jpg")])
def test_spots_of_real_sections_are_on_tissue_and_shifted_spots_are_not(
    her2st: Path, tmp_path: Path, section: str, image: str
) -> None:
    spots = pd.read_csv(her2st / "ST-spotfiles" / f"{section}_selection.tsv", sep="\t")
    px = spots[["pixel_x", "pixel_y"]].to_numpy(dtype=float)
    um_per_px = lattice_um_per_px(fit_affine(spots[["x", "y"]].to_numpy(dtype=float), px), step_um=(200.0, 200.0))
    with open_raster(her2st / "ST-imgs" / section[0] / section / image) as raster:
        write_pyramid(raster, tmp_path, um_per_px=um_per_px, mpp=4.0)
    pyramid = Pyramid.open(tmp_path)
    width_um = pyramid.levels[0].width * pyramid.levels[0].um_per_px

    def share(centres: Array) -> float:
        return float(spots_on_tissue(pyramid, centres, spot_um=100.0).mean())

    assert share(px * um_per_px) > 0.99
    for shift in ((2000, 0), (-2000, 0), (0, 2000)):
        assert share(px * um_per_px + shift) < 0.55
    assert share([width_um, 0] + px * um_per_px * [-1, 1]) < 0.75
