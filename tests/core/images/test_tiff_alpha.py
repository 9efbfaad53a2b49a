from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError
from spacrd_core.images.raster import open_raster

PINK = (200, 100, 160)


@pytest.fixture
def cut() -> Array:
    """Pink tissue on the left, half transparent in the middle row, and nothing on the right."""
    rgba = np.zeros((60, 40, 4), dtype=np.uint8)
    rgba[:, :20] = (*PINK, 255)
    rgba[30, :20, 3] = 128
    return rgba


def read(path: Path) -> Array:
    with open_raster(path) as raster:
        return raster.rows(0, raster.height)


def assert_over_white(pixels: Array) -> None:
    assert pixels[0, 0].tolist() == list(PINK)
    assert (pixels[:, 20:] == 255).all()
    assert np.abs(pixels[30, 0].astype(int) - [227, 177, 207]).max() <= 1


@pytest.mark.parametrize(
    "layout",
    [{}, {"compression": "zlib", "tile": (16, 16)}, {"ome": True, "metadata": {"axes": "YXS"}}],
    ids=["plain", "tiles", "OME"],
)
def test_transparency_is_flattened_over_white(tmp_path: Path, cut: Array, layout: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "cut.tif", cut, photometric="rgb", extrasamples=["unassalpha"], **layout)
    assert_over_white(read(tmp_path / "cut.tif"))


def test_planes_with_transparency_are_flattened_over_white(tmp_path: Path, cut: Array) -> None:
    planes = np.moveaxis(cut, -1, 0)
    tifffile.imwrite(
        tmp_path / "cut.tif", planes, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"]
    )
    assert_over_white(read(tmp_path / "cut.tif"))


def test_premultiplied_colours_are_not_multiplied_again(tmp_path: Path, cut: Array) -> None:
    multiplied = cut.copy()
    multiplied[..., :3] = np.rint(cut[..., :3] * (cut[..., 3:] / 255))
    tifffile.imwrite(tmp_path / "cut.tif", multiplied, photometric="rgb", extrasamples=["assocalpha"])
    assert_over_white(read(tmp_path / "cut.tif"))


@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16), "compression": "zlib"}], ids=["strips", "tiles"])
def test_four_grey_planes_are_rgb_and_transparency_as_in_10x_images(
    tmp_path: Path, cut: Array, layout: dict[str, Any]
) -> None:
    path = tmp_path / "he.ome.tif"
    tifffile.imwrite(path, np.moveaxis(cut, -1, 0), photometric="minisblack", metadata={"axes": "CYX"}, **layout)
    assert_over_white(read(path))
    with open_raster(path) as raster:
        assert raster.notes == ("its four channel planes were read as red, green, blue and transparency",)


def test_an_unspecified_fourth_channel_is_transparency_if_its_values_are_binary(tmp_path: Path, cut: Array) -> None:
    tifffile.imwrite(tmp_path / "cut.tif", cut, photometric="rgb", extrasamples=["unspecified"])
    assert_over_white(read(tmp_path / "cut.tif"))


@pytest.mark.parametrize("layout", [{"photometric": "minisblack"}, {"photometric": "rgb", "planarconfig": "separate"}])
def test_four_stains_are_not_read_as_rgb_and_transparency(tmp_path: Path, layout: dict[str, Any]) -> None:
    path = tmp_path / "stains.tif"
    stains = np.random.default_rng(0).integers(0, 90, (4, 60, 40), dtype=np.uint8)
    extra: dict[str, Any] = {"extrasamples": ["unspecified"]} if layout["photometric"] == "rgb" else {}
    tifffile.imwrite(path, stains, **layout, **extra)
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert f"{path} has 4 channels, and the fourth is not transparency" in str(caught.value)
    assert "export it as 8-bit RGB" in caught.value.hint
