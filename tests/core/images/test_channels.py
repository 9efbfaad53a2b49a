"""Channels named after single stains are no H&E; names of colours, of light or of numbers are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError
from spacrd_core.images.raster import open_raster


@pytest.fixture
def planes() -> Array:
    return np.random.default_rng(3).integers(0, 256, (3, 90, 70), dtype=np.uint8)


def write_ome(path: Path, pixels: Array, names: list[str], **layout: Any) -> Path:
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata, **layout)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ["DAPI", "CD3", "PanCK"],
        ["Hoechst 33342", "Texas Red", "FITC"],
        ["Ki67", "Vimentin", "SMA"],
        ["Channel 0", "Channel 1", "CD45"],
        ["Haematoxylin", "Eosin", "Residual"],
    ],
    ids="-".join,
)
def test_planes_named_after_stains_are_refused_by_their_names(tmp_path: Path, planes: Array, names: list[str]) -> None:
    path = write_ome(tmp_path / "if.ome.tif", planes, names)
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert f"{path} has channels named {', '.join(names)} (single stains, no H&E)" in str(caught.value)
    assert "--image FILE" in caught.value.hint
    assert "--no-image" in caught.value.hint


@pytest.mark.parametrize(
    "names",
    [
        ["Red", "Green", "Blue"],
        ["slide - red", "slide - green", "slide - blue"],
        ["R", "G", "B"],
        ["Channel:0:0", "Channel:0:1", "Channel:0:2"],
        ["C0", "C1", "C2"],
        ["TL Brightfield", "TL Brightfield", "TL Brightfield"],
        ["", "", ""],
    ],
    ids="-".join,
)
def test_planes_of_colours_are_read(tmp_path: Path, planes: Array, names: list[str]) -> None:
    with open_raster(write_ome(tmp_path / "he.ome.tif", planes, names)) as raster:
        np.testing.assert_array_equal(raster.rows(0, 90), np.moveaxis(planes, 0, -1))


def test_stains_of_16_bits_are_refused_as_stains_and_not_as_an_image_to_convert(tmp_path: Path, planes: Array) -> None:
    path = write_ome(tmp_path / "if.ome.tif", planes.astype(np.uint16) * 257, ["DAPI", "CD3", "PanCK"])
    with pytest.raises(ImageError, match="DAPI, CD3, PanCK"), open_raster(path):
        pass


def test_the_labels_of_imagej_count_as_names(tmp_path: Path, planes: Array) -> None:
    metadata = {"axes": "CYX", "Labels": ["c:1/3 - DAPI", "c:2/3 - CD3", "c:3/3 - PanCK"]}
    tifffile.imwrite(tmp_path / "if.tif", planes, imagej=True, metadata=metadata)
    with pytest.raises(ImageError, match="DAPI, CD3, PanCK"), open_raster(tmp_path / "if.tif"):
        pass


@pytest.mark.parametrize(("name", "readable"), [("DAPI", False), ("H&E", True), ("Vimentin study 4", True)])
def test_colours_are_refused_only_if_they_are_named_after_a_dye(
    tmp_path: Path, planes: Array, name: str, *, readable: bool
) -> None:
    metadata = {"axes": "YXS", "Channel": {"Name": name}}
    pixels = np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    tifffile.imwrite(tmp_path / "rgb.ome.tif", pixels, ome=True, photometric="rgb", metadata=metadata)
    if readable:
        with open_raster(tmp_path / "rgb.ome.tif") as raster:
            assert raster.width == 70
    else:
        with pytest.raises(ImageError, match="named DAPI"), open_raster(tmp_path / "rgb.ome.tif"):
            pass


def test_an_h_and_e_beside_fluorescence_in_one_file_is_read(tmp_path: Path, planes: Array) -> None:
    he = np.ascontiguousarray(np.moveaxis(planes, 0, -1))[:50, :40]
    with tifffile.TiffWriter(tmp_path / "both.ome.tif", ome=True) as file:
        stains = {"axes": "CYX", "Channel": {"Name": ["DAPI", "CD3", "PanCK"]}}
        file.write(planes, photometric="minisblack", metadata=stains)
        file.write(he, photometric="rgb", metadata={"axes": "YXS"})
    with open_raster(tmp_path / "both.ome.tif") as raster:
        assert (raster.width, raster.height) == (40, 50)
        np.testing.assert_array_equal(raster.rows(0, 50), he)
