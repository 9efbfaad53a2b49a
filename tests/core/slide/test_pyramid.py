import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from core.slide.conftest import RecordingRaster

from spacrd_core.errors import CorruptStore
from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide import pyramid as module
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

SQUARE_UM = (300.0, 500.0, 900.0, 700.0)  # top, left, bottom, right


def slide(um_per_px: float, height_um: float = 1400.0, width_um: float = 1700.0) -> ArrayImage:
    """White with a dark square at known um."""
    pixels = np.full((round(height_um / um_per_px), round(width_um / um_per_px), 3), 255, dtype=np.uint8)
    top, left, bottom, right = (round(edge / um_per_px) for edge in SQUARE_UM)
    pixels[top:bottom, left:right] = 55
    return ArrayImage(pixels)


def edges_um(level: module.Level) -> list[float]:
    """Return the edges of the square to a fraction of a pixel, from how dark every row and column is."""
    dark = (255.0 - level.read(0, level.height, 0, level.width)[..., 0]) / 200
    edges = []
    for profile in (dark.max(axis=1), dark.max(axis=0)):
        inside = np.flatnonzero(profile > 0.99)
        edges.append((inside[0] - profile[: inside[0]].sum(), inside[-1] + 1 + profile[inside[-1] + 1 :].sum()))
    (top, bottom), (left, right) = edges
    return [edge * level.um_per_px for edge in (top, left, bottom, right)]


@pytest.mark.parametrize("um_per_px", [0.5, 0.69, 1.0, 2.5], ids=str)
def test_a_dark_square_stays_at_its_um_on_every_level(tmp_path: Path, um_per_px: float) -> None:
    write_pyramid(slide(um_per_px), tmp_path, um_per_px=um_per_px, mpp=1.0)
    for level in Pyramid.open(tmp_path).levels:
        assert edges_um(level) == pytest.approx(SQUARE_UM, abs=0.02 * level.um_per_px + 0.5 * um_per_px)


@pytest.mark.parametrize(
    ("um_per_px", "height", "width"),
    [(0.2125, 1501, 2003), (0.3, 1237, 911), (0.25, 1030, 1030), (0.69, 601, 1111), (13.0, 30, 31), (0.2125, 30, 30)],
    ids=str,
)
def test_area_and_centre_of_a_square_are_exact_on_every_level(
    tmp_path: Path, um_per_px: float, height: int, width: int
) -> None:
    top, left, bottom, right = height // 3, width // 4, height // 2 + 1, width // 2
    pixels = np.full((height, width, 3), 255, dtype=np.uint8)
    pixels[top:bottom, left:right] = 0
    write_pyramid(ArrayImage(pixels), tmp_path, um_per_px=um_per_px)
    for level in Pyramid.open(tmp_path).levels:
        dark = 255.0 - level.read(0, level.height, 0, level.width)[..., 0]
        centres = [(np.arange(length) + 0.5) * level.um_per_px for length in dark.shape]
        centroid = [dark.sum(axis=1 - axis) @ centres[axis] / dark.sum() for axis in (0, 1)]
        middle = [(top + bottom) / 2 * um_per_px, (left + right) / 2 * um_per_px]
        assert centroid == pytest.approx(middle, abs=0.05 * level.um_per_px)
        area = (bottom - top) * (right - left) * um_per_px**2
        assert dark.sum() / 255 * level.um_per_px**2 == pytest.approx(area, rel=0.02)


def test_the_image_is_read_once_from_the_top_down_in_low_bands(
    tmp_path: Path, recording: type[RecordingRaster]
) -> None:
    raster = recording(np.full((3000, 40, 3), 200, dtype=np.uint8))
    write_pyramid(raster, tmp_path, um_per_px=0.3)
    ends = [bottom for _, bottom in raster.requests]
    overlaps = [bottom - top for (_, bottom), (top, _) in itertools.pairwise(raster.requests)]
    assert ends == sorted(ends)
    assert max(overlaps) <= 2
    assert max(bottom - top for top, bottom in raster.requests) < 300


def test_a_slide_is_stored_in_few_files(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1800, 3), dtype=np.uint8)
    write_pyramid(ArrayImage(noise), tmp_path, um_per_px=1.0)
    assert len([path for path in tmp_path.rglob("*") if path.is_file() and path.name != "zarr.json"]) == 4


def test_notes_of_the_image_stay_with_the_slide(tmp_path: Path) -> None:
    write_pyramid(ArrayImage(np.zeros((9, 9, 3), np.uint8), ("it was odd",)), tmp_path, um_per_px=1.0)
    assert Pyramid.open(tmp_path).notes == ("it was odd",)


@pytest.mark.parametrize("spoil", ["", "zarr.json", "0/zarr.json"])
def test_a_folder_without_a_complete_pyramid_is_refused_by_name(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "slide"
    if spoil:
        write_pyramid(slide(10.0), folder, um_per_px=10.0)
        (folder / spoil).unlink()
    with pytest.raises(CorruptStore, match="slide does not contain a slide"):
        Pyramid.open(folder)


def test_a_finer_image_is_reduced_to_the_working_resolution(tmp_path: Path) -> None:
    write_pyramid(slide(0.69), tmp_path, um_per_px=0.69, mpp=1.0)
    finest = Pyramid.open(tmp_path).levels[0]
    assert finest.um_per_px == 1.0
    assert (finest.height, finest.width) == (1400, 1700)


def test_a_coarser_image_is_never_enlarged(tmp_path: Path) -> None:
    write_pyramid(slide(2.5), tmp_path, um_per_px=2.5, mpp=0.5)
    finest = Pyramid.open(tmp_path).levels[0]
    assert finest.um_per_px == 2.5
    assert (finest.height, finest.width) == (560, 680)


def test_levels_halve_until_the_longest_side_is_512_px(tmp_path: Path) -> None:
    write_pyramid(slide(0.5), tmp_path, um_per_px=0.5)
    levels = Pyramid.open(tmp_path).levels
    assert [level.um_per_px for level in levels] == [0.5, 1.0, 2.0, 4.0]
    assert max(levels[-1].height, levels[-1].width) <= 512


def test_every_level_is_the_area_mean_of_the_finer_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (601, 700, 3), dtype=np.uint8)
    noise[:2] = 255
    write_pyramid(ArrayImage(noise), tmp_path, um_per_px=1.0, mpp=1.0)
    coarse = Pyramid.open(tmp_path).levels[1].read(0, 300, 0, 350).astype(float)
    means = noise[:600].reshape(300, 2, 350, 2, 3).mean(axis=(1, 3))
    assert np.abs(coarse - means).max() <= 0.5


def test_strips_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = np.broadcast_to(np.linspace(0, 250, 3000)[:, None, None], (3000, 40, 3)).astype(np.uint8)
    write_pyramid(ArrayImage(gradient), tmp_path / "whole", um_per_px=0.7, mpp=1.0)
    monkeypatch.setattr(module, "BAND_ROWS", 37)
    write_pyramid(ArrayImage(gradient), tmp_path / "strips", um_per_px=0.7, mpp=1.0)
    one, many = (Pyramid.open(tmp_path / name).levels[0] for name in ("whole", "strips"))
    difference = np.abs(one.read(0, 2100, 0, 28).astype(int) - many.read(0, 2100, 0, 28))
    assert difference.max() == 0


def test_the_level_for_a_resolution_is_the_coarsest_that_is_fine_enough(tmp_path: Path) -> None:
    write_pyramid(slide(0.5), tmp_path, um_per_px=0.5)
    pyramid = Pyramid.open(tmp_path)
    assert [pyramid.level_for(um_per_px).um_per_px for um_per_px in (0.25, 0.5, 1.9, 2.0, 100)] == [
        0.5,
        0.5,
        1.0,
        2.0,
        4.0,
    ]


def test_a_thumbnail_shows_the_whole_slide_at_a_known_scale(tmp_path: Path) -> None:
    write_pyramid(slide(1.0), tmp_path, um_per_px=1.0, mpp=1.0)
    image, um_per_px = Pyramid.open(tmp_path).thumbnail(170)
    assert image.shape == (140, 170, 3)
    assert um_per_px == pytest.approx(10.0)
    rows, columns = np.nonzero(image[..., 0] < 150)
    assert (rows.min(), columns.min()) == (30, 50)
    assert (rows.max(), columns.max()) == (89, 69)


@pytest.mark.parametrize("longest", [50, 200, 1000])
def test_a_crop_has_the_requested_resolution_and_its_corner_in_um(tmp_path: Path, longest: int) -> None:
    write_pyramid(slide(1.0), tmp_path, um_per_px=1.0, mpp=1.0)
    pyramid = Pyramid.open(tmp_path)
    crop = pyramid.crop((403.3, 210.0, 803.3, 400.0), longest)
    assert crop.um_per_px == pytest.approx(max(1.0, 400 / longest))
    left, top = crop.corner_um
    step = pyramid.level_for(crop.um_per_px).um_per_px
    assert 403.3 - step < left <= 403.3
    assert 210.0 - step < top <= 210.0
    rows, columns = np.nonzero(crop.pixels[..., 0] < 150)
    assert left + columns.min() * crop.um_per_px == pytest.approx(500, abs=crop.um_per_px)
    assert left + (columns.max() + 1) * crop.um_per_px == pytest.approx(700, abs=crop.um_per_px)
    assert top + rows.min() * crop.um_per_px == pytest.approx(300, abs=crop.um_per_px)


def test_a_crop_ends_at_the_edge_and_is_empty_outside_the_slide(tmp_path: Path) -> None:
    write_pyramid(slide(1.0), tmp_path, um_per_px=1.0, mpp=1.0)
    pyramid = Pyramid.open(tmp_path)
    crop = pyramid.crop((-100.0, -50.0, 300.0, 100.0), 1000)
    assert (crop.corner_um, crop.pixels.shape) == ((0.0, 0.0), (100, 300, 3))
    for box in ((-300.0, 0.0, -100.0, 100.0), (5000.0, 0.0, 5100.0, 100.0)):
        assert pyramid.crop(box, 1000).pixels.shape == (0, 0, 3)


def test_a_tiny_image_is_a_pyramid_of_one_level(tmp_path: Path) -> None:
    write_pyramid(ArrayImage(np.full((30, 20, 3), 9, dtype=np.uint8)), tmp_path, um_per_px=13.0)
    assert len(Pyramid.open(tmp_path).levels) == 1


def test_the_metadata_is_ngff_with_micrometres(tmp_path: Path) -> None:
    write_pyramid(slide(0.5), tmp_path, um_per_px=0.5)
    metadata: Any = zarr.open_group(tmp_path, mode="r").attrs["ome"]
    assert metadata["version"] == "0.5"
    multiscale = metadata["multiscales"][0]
    assert [axis.get("unit") for axis in multiscale["axes"]] == [None, "micrometer", "micrometer"]
    scale, shift = multiscale["datasets"][1]["coordinateTransformations"]
    assert (scale["scale"][1], shift["translation"][1]) == (1.0, 0.25)


def test_ome_zarr_tools_read_the_slide(tmp_path: Path) -> None:
    reader = pytest.importorskip("ome_zarr.reader", reason="ome-zarr is not installed")
    io = pytest.importorskip("ome_zarr.io")
    write_pyramid(slide(0.5), tmp_path, um_per_px=0.5)
    nodes = list(reader.Reader(io.parse_url(tmp_path))())
    assert [array.shape for array in nodes[0].data] == [(3, 2800 >> k, 3400 >> k) for k in range(4)]
