from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from bundles.scanners import LeicaArea, write_dicom, write_scn, write_svs, write_vms
from PIL import Image

from spacrd_core.images.metadata import image_um_per_px

PIXELS = np.full((64, 128, 3), 200, dtype=np.uint8)


def written(path: Path, **options: Any) -> float | None:
    tifffile.imwrite(path, PIXELS, photometric="rgb", **options)
    return image_um_per_px(path)


def ome(path: Path, **metadata: Any) -> float | None:
    return written(path, ome=True, metadata={"axes": "YXS", **metadata})


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [(0.2738, "µm", 0.2738), (0.2738, None, 0.2738), (273.8, "nm", 0.2738), (2.738e-4, "mm", 0.2738)],
)
def test_ome_xml_holds_the_size_with_its_unit(tmp_path: Path, size: float, unit: str | None, expected: float) -> None:
    units = {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit} if unit else {}
    um_per_px = ome(tmp_path / "slide.ome.tif", PhysicalSizeX=size, PhysicalSizeY=size, **units)
    assert um_per_px == pytest.approx(expected)


def test_the_size_is_that_of_the_ome_image_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "many.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for step, size in ((4, 2.0), (1, 0.5)):
            metadata = {"axes": "YXS", "PhysicalSizeX": size, "PhysicalSizeY": size}
            file.write(PIXELS[::step, ::step], photometric="rgb", metadata=metadata)
    assert image_um_per_px(path) == pytest.approx(0.5)


@pytest.mark.parametrize(("mpp", "expected"), [("0.4990", 0.499), ("0,4990", 0.499), ("0", None), ("x", None)])
def test_aperio_holds_the_size_as_mpp(tmp_path: Path, mpp: str, expected: float | None) -> None:
    write_svs(tmp_path / "slide.svs", PIXELS, mpp=mpp)
    assert image_um_per_px(tmp_path / "slide.svs") == (expected and pytest.approx(expected))


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected"),
    [(20_000, "CENTIMETER", 0.5), (50_800, "INCH", 0.5), (2, "MICROMETER", 0.5), (20_000, "NONE", None)],
)
def test_tiff_tags_hold_px_per_unit(tmp_path: Path, per_unit: int, unit: str, expected: float | None) -> None:
    um_per_px = written(tmp_path / "slide.tif", resolution=(per_unit, per_unit), resolutionunit=unit, metadata=None)
    assert um_per_px == (expected and pytest.approx(expected))


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m"])
def test_imagej_holds_the_size_in_its_own_unit(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "slide.tif"
    metadata = {"unit": unit, "axes": "YXS"}
    tifffile.imwrite(path, PIXELS, imagej=True, resolution=(2, 2), metadata=metadata)
    assert image_um_per_px(path) == pytest.approx(0.5)


@pytest.mark.parametrize("dpi", [1, 72, 96, 150, 300, 600, 1200])
def test_dots_per_inch_for_screens_and_printers_are_ignored(tmp_path: Path, dpi: int) -> None:
    assert written(tmp_path / "slide.tif", resolution=(dpi, dpi), resolutionunit="INCH") is None


def test_the_next_metadata_is_used_if_one_is_implausible(tmp_path: Path) -> None:
    path = tmp_path / "slide.ome.tif"
    metadata = {"axes": "YXS", "PhysicalSizeX": 1, "PhysicalSizeXUnit": "pixel", "PhysicalSizeY": 1}
    um_per_px = written(path, ome=True, metadata=metadata, resolution=(20_000, 20_000), resolutionunit="CENTIMETER")
    assert um_per_px == pytest.approx(0.5)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_dots_per_inch_of_jpeg_and_png_are_ignored(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    Image.fromarray(PIXELS).save(path, dpi=(50_800, 50_800))
    assert image_um_per_px(path) is None


@pytest.mark.parametrize(("down", "expected"), [(0.51, (0.5 * 0.51) ** 0.5), (0.6, None), (0.0, None)])
def test_nearly_square_px_have_their_mean_size(tmp_path: Path, down: float, expected: float | None) -> None:
    um_per_px = ome(tmp_path / "slide.ome.tif", PhysicalSizeX=0.5, PhysicalSizeY=down)
    assert um_per_px == (expected and pytest.approx(expected))


@pytest.mark.parametrize("size", [0.01, 30, -0.5, "nan", "inf", "about half", None], ids=str)
def test_implausible_sizes_are_ignored(tmp_path: Path, size: Any) -> None:
    path = tmp_path / "slide.ome.tif"
    ome(path, PhysicalSizeX=0.123456, PhysicalSizeY=0.123456)
    path.write_bytes(path.read_bytes().replace(b"0.123456", f"{size!s:8}".encode()[:8]))
    assert image_um_per_px(path) is None


@pytest.mark.parametrize(
    "description",
    [
        "<OME></OME>",
        "<OME><Image/></OME>",
        "<OME><Image><Pixels/></Image></OME>",
        "<OME><Image><Pixels SizeX='128' SizeY='64' PhysicalSizeX='1,2'/></Image></OME>",
        "<OME><Image></OME>",
        "ImageJ=1.53\nunit=furlong\n",
        "Aperio |MPP = 0.1.2.3|MPP",
    ],
)
def test_malformed_metadata_are_ignored_without_an_error(tmp_path: Path, description: str) -> None:
    assert written(tmp_path / "slide.tif", description=description, metadata=None) is None


def test_zero_tags_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    written(path, resolution=(20_000, 20_000), resolutionunit="CENTIMETER", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["XResolution"].overwrite((0, 0))
    assert image_um_per_px(path) is None


@pytest.mark.parametrize("content", [b"", b"II*\0", b"II*\0junk and more junk", b"%PDF"])
def test_a_file_that_is_no_image_has_no_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "slide.tif").write_bytes(content)
    assert image_um_per_px(tmp_path / "slide.tif") is None
    assert image_um_per_px(tmp_path / "gone.tif") is None


def test_scanner_files_hold_the_size_in_openslide_properties(tmp_path: Path) -> None:
    pytest.importorskip("openslide", reason="openslide is an extra")
    write_vms(tmp_path / "a.vms", np.full((64, 128, 3), 200, dtype=np.uint8), um_per_px=0.46)
    write_dicom(tmp_path / "b.dcm", PIXELS, um_per_px=0.25)
    write_scn(tmp_path / "c.scn", [LeicaArea(PIXELS, 9, 9)], size=(200, 90), um_per_px=0.5)
    um_per_px = [image_um_per_px(tmp_path / name) for name in ("a.vms", "b.dcm", "c.scn")]
    assert um_per_px == pytest.approx([0.46, 0.25, 0.5], rel=1e-3)
