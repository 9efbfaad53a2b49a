from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from spacrd_core.errors import ImageError
from spacrd_core.images.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array

PINK = (200, 100, 160)


@pytest.fixture
def cut() -> Array:
    """Pink tissue left, half of it shown in the middle row, nothing right."""
    rgba = np.zeros((60, 40, 4), dtype=np.uint8)
    rgba[:, :20] = (*PINK, 255)
    rgba[30, :20, 3] = 128
    return rgba


def read(path: Path) -> Array:
    with open_raster(path) as raster:
        return raster.rows(0, raster.height)


def assert_over_glass(pixels: Array) -> None:
    assert pixels[0, 0].tolist() == list(PINK)
    assert (pixels[:, 20:] == 255).all()
    assert np.abs(pixels[30, 0].astype(int) - [227, 177, 207]).max() <= 1


@pytest.mark.parametrize(
    "layout",
    [{}, {"compression": "zlib", "tile": (16, 16)}, {"ome": True, "metadata": {"axes": "YXS"}}],
    ids=["plain", "tiles", "OME"],
)
def test_transparency_shows_white_glass(tmp_path: Path, cut: Array, layout: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "cut.tif", cut, photometric="rgb", extrasamples=["unassalpha"], **layout)
    assert_over_glass(read(tmp_path / "cut.tif"))


def test_planes_with_transparency_show_white_glass(tmp_path: Path, cut: Array) -> None:
    planes = np.moveaxis(cut, -1, 0)
    tifffile.imwrite(
        tmp_path / "cut.tif", planes, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"]
    )
    assert_over_glass(read(tmp_path / "cut.tif"))


def test_colours_multiplied_by_their_opacity_are_not_multiplied_again(tmp_path: Path, cut: Array) -> None:
    multiplied = cut.copy()
    multiplied[..., :3] = np.rint(cut[..., :3] * (cut[..., 3:] / 255))
    tifffile.imwrite(tmp_path / "cut.tif", multiplied, photometric="rgb", extrasamples=["assocalpha"])
    assert_over_glass(read(tmp_path / "cut.tif"))


@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16), "compression": "zlib"}], ids=["strips", "tiles"])
def test_four_grey_planes_are_rgb_and_transparency_as_in_10x_images(
    tmp_path: Path, cut: Array, layout: dict[str, Any]
) -> None:
    path = tmp_path / "he.ome.tif"
    tifffile.imwrite(path, np.moveaxis(cut, -1, 0), photometric="minisblack", metadata={"axes": "CYX"}, **layout)
    assert_over_glass(read(path))
    with open_raster(path) as raster:
        assert raster.notes == ("its four channel planes were taken as red, green, blue and transparency",)


def test_a_fourth_channel_of_which_nothing_is_said_is_transparency_where_it_looks_so(
    tmp_path: Path, cut: Array
) -> None:
    tifffile.imwrite(tmp_path / "cut.tif", cut, photometric="rgb", extrasamples=["unspecified"])
    assert_over_glass(read(tmp_path / "cut.tif"))


@pytest.mark.parametrize("layout", [{"photometric": "minisblack"}, {"photometric": "rgb", "planarconfig": "separate"}])
def test_four_stains_are_not_taken_for_rgb_and_transparency(tmp_path: Path, layout: dict[str, Any]) -> None:
    path = tmp_path / "stains.tif"
    stains = np.random.default_rng(0).integers(0, 90, (4, 60, 40), dtype=np.uint8)
    extra = {"extrasamples": ["unspecified"]} if layout["photometric"] == "rgb" else {}
    tifffile.imwrite(path, stains, **layout, **extra)
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert str(caught.value) == f"{path} holds 4 channels, the last of which is no transparency; 8-bit RGB was wanted"
    assert caught.value.hint == "export it as 8-bit RGB, for example with QuPath or Fiji"
