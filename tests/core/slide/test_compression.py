"""A JPEG stays one in the store, an image without a loss keeps every px, and zarr opens both."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from PIL import Image
from scipy.ndimage import gaussian_filter

from spacrd_core.arrays import Array
from spacrd_core.images.jpeg import Jpeg
from spacrd_core.images.raster import open_raster
from spacrd_core.slide.compression import AVERAGED_QUALITY, COARSE_QUALITY, describe_compression, level_settings
from spacrd_core.slide.jpeg_codec import NAME, JpegCodec
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

PROJECT = Path(__file__).parents[3]
OWN = Jpeg(tables=((16,) * 64, (17,) * 64), subsampling="4:2:0")
PLAIN_ZARR = """
import sys, zarr
level = zarr.open_group(sys.argv[1], mode="r")["0"]
print(level[:].mean(axis=(1, 2)).round(2).tolist())
"""


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tissue-like JPEG of 1536 x 1024 px: whole chunks, as most of a slide is."""
    noise = np.random.default_rng(0).normal(size=(1024, 1536, 4)).astype(np.float32)
    smooth = gaussian_filter(noise, (4, 4, 0))
    pixels = np.clip([180, 120, 160] + 200 * smooth[..., :1] + 60 * smooth[..., 1:] + 2 * noise[..., :1], 0, 255)
    path = tmp_path_factory.mktemp("photograph") / "slide.jpg"
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=60)
    return path


def stored(image: Path, folder: Path, um_per_px: float, **choices: Any) -> Pyramid:
    with open_raster(image) as raster:
        write_pyramid(raster, folder, um_per_px=um_per_px, **choices)
    return Pyramid.open(folder)


def pixels(pyramid: Pyramid, number: int) -> Array:
    level = pyramid.levels[number]
    return level.read(0, level.height, 0, level.width).astype(float)


def describe(pyramid: Pyramid) -> str:
    return describe_compression(level.array for level in pyramid.levels)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("own", "averaged", "scales", "expected"),
    [
        (None, False, [0.5, 1.0, 8.0], [None, None, None]),
        (OWN, False, [0.5, 1.0, 8.0], [OWN, Jpeg(COARSE_QUALITY), None]),
        (OWN, True, [0.5, 1.0, 8.0], [Jpeg(AVERAGED_QUALITY), Jpeg(AVERAGED_QUALITY), None]),
        (OWN, False, [15.0], [OWN]),
    ],
    ids=["never lossy", "own px", "averaged", "coarse image"],
)
def test_each_level_has_the_loss_that_its_px_have_or_a_stated_one(
    own: Jpeg | None, scales: list[float], expected: list[Jpeg | None], *, averaged: bool
) -> None:
    assert level_settings(own, scales, averaged=averaged) == expected


def test_a_jpeg_takes_less_than_twice_its_size_and_loses_half_a_grey_level(photograph: Path, tmp_path: Path) -> None:
    pyramid = stored(photograph, tmp_path, 0.7)
    assert describe(pyramid) == f"JPEG by the image's own tables, then JPEG of quality {COARSE_QUALITY}"
    loss = pixels(pyramid, 0) - np.asarray(Image.open(photograph))
    assert np.sqrt((loss**2).mean()) < 0.5
    assert size(tmp_path) < 2 * photograph.stat().st_size


def test_averages_of_a_jpeg_are_stored_at_a_stated_quality(photograph: Path, tmp_path: Path) -> None:
    pyramid = stored(photograph, tmp_path, 0.25, mpp=0.5)
    assert describe(pyramid) == f"JPEG of quality {AVERAGED_QUALITY}"
    means = np.asarray(Image.open(photograph), dtype=float).reshape(512, 2, 768, 2, 3).mean(axis=(1, 3))
    assert np.sqrt(((pixels(pyramid, 0) - means) ** 2).mean()) < 2


def test_levels_for_coarse_features_are_averages_of_the_image_to_the_last_px(photograph: Path, tmp_path: Path) -> None:
    pyramid = stored(photograph, tmp_path, 4.0)
    assert describe(pyramid) == "JPEG by the image's own tables, then lossless"
    expected = np.asarray(Image.open(photograph).reduce(2))
    assert np.array_equal(pixels(pyramid, 1), expected)


def test_an_image_without_a_loss_keeps_every_px(photograph: Path, tmp_path: Path) -> None:
    png = tmp_path / "slide.png"
    Image.open(photograph).save(png)
    pyramid = stored(png, tmp_path / "slide", 0.7)
    assert describe(pyramid) == "lossless"
    assert np.array_equal(pixels(pyramid, 0), np.asarray(Image.open(photograph)))


def test_the_same_image_gives_the_same_bytes(photograph: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        stored(photograph, tmp_path / name, 0.7)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_the_settings_are_in_the_metadata_of_the_array(photograph: Path, tmp_path: Path) -> None:
    stored(photograph, tmp_path, 0.7)
    levels: list[Any] = [zarr.open_array(tmp_path / number, mode="r") for number in "01"]
    found = [level.metadata.codecs[0].codecs[0] for level in levels]
    assert all(isinstance(codec, JpegCodec) for codec in found)
    assert found[0].to_dict()["configuration"]["subsampling"] == "4:2:0"
    assert found[1] == JpegCodec(Jpeg(COARSE_QUALITY))
    assert [JpegCodec.from_dict(codec.to_dict()) for codec in found] == found


def test_zarr_alone_opens_a_slide_where_the_distribution_is_installed(photograph: Path, tmp_path: Path) -> None:
    expected = pixels(stored(photograph, tmp_path / "slide", 0.7), 0).mean(axis=(0, 1)).round(2).tolist()
    points = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["entry-points"]["zarr.codecs"]
    metadata = tmp_path / "installed" / "spacrd_codecs-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: spacrd-codecs\nVersion: 1\n")
    lines = ["[zarr.codecs]", *(f"{name} = {target}" for name, target in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    assert list(points) == [NAME]
    path = os.pathsep.join([str(metadata.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", PLAIN_ZARR, str(tmp_path / "slide")]
    shown = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    ).stdout
    assert shown.strip() == str(expected)
