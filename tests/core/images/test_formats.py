from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from bundles.scanners import LeicaArea, write_dicom, write_scn, write_svs
from PIL import Image

from spacrd_core.errors import ImageError
from spacrd_core.images.formats import choose_backend

PIXELS = np.full((64, 64, 3), 200, dtype=np.uint8)


def test_jpeg_png_and_plain_tiff_are_recognised_by_content(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", format="PNG")
    Image.fromarray(PIXELS).save(tmp_path / "b.ndpi", format="JPEG")
    tifffile.imwrite(tmp_path / "c.jpg", PIXELS, bigtiff=True)
    write_svs(tmp_path / "d.svs", PIXELS)
    backends = [choose_backend(tmp_path / name) for name in ("a.tif", "b.ndpi", "c.jpg", "d.svs")]
    assert backends == ["pillow", "pillow", "tifffile", "tifffile"]


@pytest.mark.parametrize(
    "tags",
    [
        {"extratags": [(65420, 3, 1, 1, True), (271, 2, 0, "Hamamatsu", True)]},
        {"extratags": [(700, 1, 6, b"<iScan", True)], "software": "ScanOutputManager 1.1"},
        {"software": "MedScan"},
    ],
    ids=["NDPI", "BIF", "Trestle"],
)
def test_tiffs_without_a_regular_grid_of_tiles_are_read_by_openslide(tmp_path: Path, tags: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", PIXELS, tile=(16, 16), metadata=None, **tags)
    assert choose_backend(tmp_path / "slide.tif") == "openslide"


def test_other_scanner_formats_are_read_by_openslide_whatever_their_name(tmp_path: Path) -> None:
    write_scn(tmp_path / "a.tif", [LeicaArea(PIXELS, 0, 0)], size=(64, 64))
    write_dicom(tmp_path / "b", PIXELS)
    (tmp_path / "c").write_bytes(b"SQLite format 3\0" + bytes(200))
    (tmp_path / "d").write_bytes(b"ZISRAWFILE" + bytes(200))
    assert {choose_backend(tmp_path / name) for name in ("a.tif", "b", "c", "d")} == {"openslide"}


@pytest.mark.parametrize("name", ["slide.mrxs", "slide.MRXS", "slide.vms", "slide.vmu"])
def test_index_files_are_recognised_by_name(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name, format="JPEG")
    assert choose_backend(tmp_path / name) == "openslide"


def test_a_file_that_is_no_image_is_refused_with_the_supported_formats(tmp_path: Path) -> None:
    (tmp_path / "slide.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(ImageError) as caught:
        choose_backend(tmp_path / "slide.pdf")
    assert "slide.pdf is neither JPEG, PNG, TIFF" in str(caught.value)
    assert "SVS, NDPI, MRXS" in caught.value.hint
