"""A picture with axes of one element is one picture, in whatever order a program wrote them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError
from spacrd_core.images.raster import image_size, open_raster

RGB: dict[str, Any] = {"photometric": "rgb"}
GREY: dict[str, Any] = {"photometric": "minisblack"}
TILES: dict[str, Any] = {"tile": (64, 64), "compression": "zlib"}


@pytest.fixture
def slide() -> Array:
    return np.random.default_rng(3).integers(0, 256, (130, 90, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ("1yxs", RGB),
        ("1yxs", RGB | TILES),
        ("11yxs", RGB),
        ("1yxs", {"imagej": True}),
        ("1yxs", RGB | {"ome": True, "metadata": {"axes": "ZYXS"}}),
        ("1syx", RGB | {"planarconfig": "separate"}),
        ("1syx", RGB | TILES | {"planarconfig": "separate"}),
        ("1syx", GREY),
        ("1syx", GREY | TILES),
        ("s1yx", GREY | {"ome": True, "metadata": {"axes": "CZYX"}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_axes_of_one_element_are_left_out(tmp_path: Path, slide: Array, shape: str, layout: dict[str, Any]) -> None:
    pixels = slide if shape.endswith("yxs") else np.moveaxis(slide, -1, 0)
    lengths = {"1": 1, "y": 130, "x": 90, "s": 3}
    path = tmp_path / "slide.tif"
    tifffile.imwrite(path, np.ascontiguousarray(pixels).reshape([lengths[axis] for axis in shape]), **layout)
    assert image_size(path) == (90, 130)
    with open_raster(path) as raster:
        np.testing.assert_array_equal(raster.rows(0, 130), slide)
        np.testing.assert_array_equal(raster.rows(60, 101), slide[60:101])


def test_a_stack_of_pictures_is_refused_with_its_axes(tmp_path: Path, slide: Array) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([slide, slide])[None], photometric="rgb")
    with pytest.raises(ImageError, match=r"a stack of images \(QYXS of shape \(2, 130, 90, 3\)\)"):
        image_size(tmp_path / "stack.tif")
