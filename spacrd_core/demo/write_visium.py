"""The files of one Visium section: the output of Space Ranger 2, the user's image, and labels exported from Loupe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spacrd_core.demo.genes import GENES
from spacrd_core.demo.measure import VISIUM_COLUMNS, visium_array, visium_um
from spacrd_core.demo.write_tenx import genes, write_matrix, write_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.demo.measure import Floats, Spots
    from spacrd_core.demo.specimen import Specimen

SPOT_UM, FIDUCIAL_UM = 65.0, 105.0  # diameters as Space Ranger reports them; the spots measure 55 um
PREVIEWS = {"hires": 2000, "lowres": 600}  # px of the longest side
SOFTWARE = "spaceranger-2.1.0"


def write_visium(folder: Path, specimen: Specimen, spots: Spots) -> dict[str, str]:
    """Write run folder, image and labels; return the row for the cohort table, with paths relative to ``folder``."""
    name = specimen.name
    files = {
        "path": f"Visium/{name}/outs",
        "labels": f"Visium/{name}/{name}_Pathology.csv",
        "image": f"Visium/{name}/{name}_tissue_image.tif",
    }
    outs = folder / files["path"]
    (outs / "spatial").mkdir(parents=True, exist_ok=True)
    barcodes = _barcodes(spots.array)
    matrix = outs / "filtered_feature_bc_matrix.h5"
    write_matrix(matrix, spots.counts, barcodes, genes(GENES), software=SOFTWARE)
    (outs / "spatial/tissue_positions.csv").write_text(_positions(specimen, barcodes), encoding="utf-8")
    _write_previews(outs / "spatial", specimen)
    labels = [f"{barcode},{label}" for barcode, label in zip(barcodes, spots.labels, strict=True)]
    (folder / files["labels"]).write_text("\n".join(("Barcode,Pathology", *labels)) + "\n", encoding="utf-8")
    write_tiff(folder / files["image"], specimen.picture, um_per_px=specimen.um_per_px)
    return {**files, "name": name, "patient": specimen.patient, "reader": "visium"}


def _barcodes(array: Floats) -> list[str]:
    """Return the barcodes of array positions: 16 bases, in no spatial order, the same on every slide."""
    numbers = (array[:, 1] * VISIUM_COLUMNS + array[:, 0]).astype(int) * 2654435761 % 4**16
    return ["".join("ACGT"[number >> 2 * base & 3] for base in range(16)) + "-1" for number in numbers.tolist()]


def _positions(specimen: Specimen, in_tissue: list[str]) -> str:
    """Return the table of all spots of the capture area, with a flag for those in tissue."""
    array, tissue = visium_array(), set(in_tissue)
    pixels = np.rint(visium_um(array) / specimen.um_per_px)
    lines = ["barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres"]
    for barcode, (column, row), (x, y) in zip(_barcodes(array), array, pixels, strict=True):
        lines.append(f"{barcode},{barcode in tissue:d},{row:.0f},{column:.0f},{y:.0f},{x:.0f}")
    return "\n".join(lines) + "\n"


def _write_previews(folder: Path, specimen: Specimen) -> None:
    """Write the small images and their scale factors relative to the full-resolution image."""
    factors = {
        "spot_diameter_fullres": SPOT_UM / specimen.um_per_px,
        "fiducial_diameter_fullres": FIDUCIAL_UM / specimen.um_per_px,
    }
    picture = Image.fromarray(specimen.picture)
    for preview, longest in PREVIEWS.items():
        factors[f"tissue_{preview}_scalef"] = scale = longest / max(picture.size)
        size = round(picture.width * scale), round(picture.height * scale)
        picture.resize(size, Image.Resampling.BOX).save(folder / f"tissue_{preview}_image.png", compress_level=1)
    (folder / "scalefactors_json.json").write_text(json.dumps(factors), encoding="utf-8")
