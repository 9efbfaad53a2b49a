from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.errors import ImageError, LabelError
from spacrd_core.labels import mask as mask_module
from spacrd_core.labels.mask import Mask
from spacrd_core.labels.tables import read_labels

CLASSES = np.array([[0, 1, 1], [0, 2, 2]], dtype=np.uint8)
PALETTE = np.array([[255, 255, 255], [255, 0, 0], [0, 128, 0]], dtype=np.uint8)
WHITE_RED_GREEN = ("#ffffff", "#ff0000", "#008000")


def read(path: Path) -> Mask:
    mask = read_labels(path)
    assert isinstance(mask, Mask)
    return mask


def png(path: Path, pixels: Any, mode: str | None = None) -> Path:
    Image.fromarray(pixels, mode=mode).save(path, format="PNG")
    return path


def tiff(path: Path, pixels: Any, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, **options)
    return path


def texts(mask: Mask) -> list[list[str]]:
    return np.array(mask.values, dtype=object)[mask.codes].tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_numbers_of_any_type_are_classes(tmp_path: Path, dtype: Any) -> None:
    mask = read(tiff(tmp_path / "mask.tif", CLASSES.astype(dtype)))
    assert texts(mask) == [["0", "1", "1"], ["0", "2", "2"]]
    assert mask.shares == (1 / 3, 1 / 3, 1 / 3)


def test_png_and_compressed_tiff_are_read_under_any_name(tmp_path: Path) -> None:
    tiled = tiff(tmp_path / "b", np.tile(CLASSES, (32, 32)), tile=(16, 16), compression="zlib")
    for path in (png(tmp_path / "a.mask", CLASSES), tiled):
        assert set(read(path).values) == {"0", "1", "2"}
    assert texts(read(png(tmp_path / "bits.png", CLASSES == 1))) == [["0", "1", "1"], ["0", "0", "0"]]


def test_colours_are_classes_and_transparent_px_are_blank(tmp_path: Path) -> None:
    colours = PALETTE[CLASSES]
    expected = np.array(WHITE_RED_GREEN)[CLASSES].tolist()
    assert texts(read(png(tmp_path / "rgb.png", colours))) == expected
    assert texts(read(tiff(tmp_path / "rgb.tif", colours, photometric="rgb"))) == expected
    planes = np.moveaxis(colours, -1, 0)
    planar = tiff(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    assert texts(read(planar)) == expected
    alpha = np.dstack([colours, np.where(CLASSES == 1, 255, 0).astype(np.uint8)])
    mask = read(png(tmp_path / "rgba.png", alpha))
    assert texts(mask) == [["", "#ff0000", "#ff0000"], ["", "", ""]]
    assert dict(zip(mask.values, mask.shares, strict=True)) == {"": 4 / 6, "#ff0000": 2 / 6}


def test_a_palette_gives_numbers_with_their_colours(tmp_path: Path) -> None:
    image = Image.fromarray(CLASSES, mode="P")
    image.putpalette(PALETTE.ravel().tolist())
    image.save(tmp_path / "mask.png")
    mask = read(tmp_path / "mask.png")
    assert texts(mask) == [["0", "1", "1"], ["0", "2", "2"]]
    assert mask.colours == WHITE_RED_GREEN
    assert mask.notes == ("mask.png: numbers with a palette: 0 is #ffffff, 1 is #ff0000, 2 is #008000",)


def test_the_bands_of_a_large_mask_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 5, (40, 30)).astype(np.uint8)
    whole = texts(read(png(tmp_path / "mask.png", pixels)))
    monkeypatch.setattr(mask_module, "BAND_PX", 100)
    mask = read(tmp_path / "mask.png")
    assert texts(mask) == whole == pixels.astype(str).tolist()
    assert sum(mask.shares) == pytest.approx(1)


def test_a_picture_is_no_mask(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 30, 3)).astype(np.uint8)
    with pytest.raises(LabelError, match="has more than 64 values: it is a picture"):
        read(png(tmp_path / "picture.png", picture))
    Image.fromarray(picture).save(tmp_path / "picture.jpg")
    with pytest.raises(LabelError, match="is a JPEG"):
        read(tmp_path / "picture.jpg")


def test_several_planes_deep_colours_large_and_broken_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LabelError, match="has the axes ZYX"):
        read(tiff(tmp_path / "z.tif", np.stack([CLASSES] * 5), metadata={"axes": "ZYX"}))
    with pytest.raises(LabelError, match="has colours of uint16"):
        read(tiff(tmp_path / "deep.tif", PALETTE[CLASSES].astype(np.uint16), photometric="rgb"))
    path = png(tmp_path / "mask.png", np.tile(CLASSES, (50, 50)))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match=r"mask\.png"):
        read(path)
    monkeypatch.setattr(mask_module, "MAX_PX", 4)
    for large in (png(tmp_path / "a.png", CLASSES), tiff(tmp_path / "a.tif", CLASSES)):
        with pytest.raises(LabelError, match="too large to hold in memory"):
            read(large)


def test_a_section_cannot_be_chosen_in_a_mask(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="is not a table of several sections"):
        read_labels(png(tmp_path / "mask.png", CLASSES), "-2")
