from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from bundles.scanners import LeicaArea, write_dicom, write_scn, write_svs
from PIL import Image

from spacrd_core.errors import ImageError
from spacrd_core.images.formats import kind_of

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.full((64, 64, 3), 200, dtype=np.uint8)


def test_photographs_and_plain_tiffs_are_told_by_their_content(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", format="PNG")
    Image.fromarray(PIXELS).save(tmp_path / "b.ndpi", format="JPEG")
    tifffile.imwrite(tmp_path / "c.jpg", PIXELS, bigtiff=True)
    write_svs(tmp_path / "d.svs", PIXELS)
    kinds = [kind_of(tmp_path / name) for name in ("a.tif", "b.ndpi", "c.jpg", "d.svs")]
    assert kinds == ["photo", "photo", "tiff", "tiff"]


@pytest.mark.parametrize(
    "tags",
    [
        {"extratags": [(65420, 3, 1, 1, True), (271, 2, 0, "Hamamatsu", True)]},
        {"extratags": [(700, 1, 6, b"<iScan", True)], "software": "ScanOutputManager 1.1"},
        {"software": "MedScan"},
    ],
    ids=["NDPI", "BIF", "Trestle"],
)
def test_tiffs_whose_tiles_do_not_lie_side_by_side_are_openslides(tmp_path: Path, tags: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", PIXELS, tile=(16, 16), metadata=None, **tags)
    assert kind_of(tmp_path / "slide.tif") == "vendor"


def test_other_scanners_files_are_openslides_whatever_their_name(tmp_path: Path) -> None:
    write_scn(tmp_path / "a.tif", [LeicaArea(PIXELS, 0, 0)], size=(64, 64))
    write_dicom(tmp_path / "b", PIXELS)
    (tmp_path / "c").write_bytes(b"SQLite format 3\0" + bytes(200))
    (tmp_path / "d").write_bytes(b"ZISRAWFILE" + bytes(200))
    assert {kind_of(tmp_path / name) for name in ("a.tif", "b", "c", "d")} == {"vendor"}


@pytest.mark.parametrize("name", ["slide.mrxs", "slide.MRXS", "slide.vms", "slide.vmu"])
def test_index_files_are_told_by_name(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name, format="JPEG")
    assert kind_of(tmp_path / name) == "vendor"


def test_what_is_no_image_is_refused_with_the_formats_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "slide.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(ImageError) as caught:
        kind_of(tmp_path / "slide.pdf")
    assert (
        str(caught.value) == f"{tmp_path / 'slide.pdf'} is neither JPEG, PNG, TIFF nor a scanner's file that is known"
    )
    assert "SVS, NDPI, MRXS" in caught.value.hint
