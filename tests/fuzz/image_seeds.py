"""Images of every format."""

from pathlib import Path

import tifffile
from bundles.scanners import write_dicom, write_svs
from PIL import Image

from fuzz.seed import COARSE, LITTLE, Act, Seed
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size, open_raster


def picture(name: str) -> Act:
    def write(folder: Path) -> None:
        pixels = LITTLE.picture(COARSE)
        if "tif" in name:
            tiles = (64, 64) if "tiled" in name else None
            tifffile.imwrite(folder / name, pixels, photometric="rgb", tile=tiles, compression="zlib")
        else:
            Image.fromarray(pixels).save(folder / name)

    return write


def whole_image(name: str) -> Act:
    """Return how an image is measured and read to its end."""

    def read(folder: Path) -> None:
        path = folder / name
        image_um_per_px(path)
        image_size(path)
        with open_raster(path) as raster:
            for top in range(0, raster.height, 256):
                raster.rows(top, min(top + 256, raster.height))

    return read


def ome(folder: Path) -> None:
    pixels, size = LITTLE.picture(COARSE), {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    with tifffile.TiffWriter(folder / "a.ome.tif", ome=True) as file:
        file.write(pixels, photometric="rgb", tile=(64, 64), subifds=1, metadata={"axes": "YXS", **size})
        file.write(pixels[::2, ::2], photometric="rgb", tile=(64, 64), subfiletype=1)


def dicom(folder: Path) -> None:
    write_dicom(folder / "a.dcm", LITTLE.picture(COARSE)[:128, :128])


IMAGES = (
    Seed("png", picture("a.png"), whole_image("a.png")),
    Seed("jpeg", picture("a.jpg"), whole_image("a.jpg")),
    Seed("tiff", picture("a.tif"), whole_image("a.tif")),
    Seed("tiled tiff", picture("tiled.tif"), whole_image("tiled.tif")),
    Seed("ome tiff", ome, whole_image("a.ome.tif")),
    Seed("svs", lambda folder: write_svs(folder / "a.svs", LITTLE.picture(COARSE)), whole_image("a.svs")),
    Seed("dicom", dicom, whole_image("a.dcm")),
)
