"""The files of one legacy ST section, with the names and layout of the her2st data."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spacrd_core.demo.genes import GENES
from spacrd_core.demo.measure import ST_POSITIONS

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.demo.measure import Spots
    from spacrd_core.demo.specimen import Specimen

ARRAY_STEPS = np.array(ST_POSITIONS) - 1  # across and down the image, which is cropped to the array frame
LABEL_STEP_PX = 125.0  # one array step in the label files, whose y axis points up


def write_st(folder: Path, specimen: Specimen, spots: Spots) -> dict[str, str]:
    """Write the four files of a section; return the row for the cohort table, with paths relative to ``folder``."""
    name = specimen.name
    files = {
        "path": f"ST-cnts/{name}.tsv.gz",
        "spots": f"ST-spotfiles/{name}_selection.tsv",
        "labels": f"ST-pat/lbl/{name}_labeled_coordinates.tsv",
        "image": f"ST-imgs/{specimen.patient}/{name}/{name}_HE.jpg",
    }
    for path in files.values():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / files["path"]).write_bytes(_gzip(_counts(spots)))
    (folder / files["spots"]).write_text(_selection(specimen, spots), encoding="utf-8")
    (folder / files["labels"]).write_text(_labels(spots), encoding="utf-8")
    Image.fromarray(specimen.picture).save(folder / files["image"], quality=85)
    del files["spots"]  # the reader finds it by its name
    return {**files, "name": name, "patient": specimen.patient, "reader": "st"}


def _counts(spots: Spots) -> str:
    table = io.StringIO()
    table.write("\t".join(("", *GENES)) + "\n")
    for (x, y), row in zip(spots.array, spots.counts.tolist(), strict=True):
        table.write("\t".join((f"{x:.0f}x{y:.0f}", *map(str, row))) + "\n")
    return table.getvalue()


def _gzip(text: str) -> bytes:
    return gzip.compress(
        text.encode(), compresslevel=6, mtime=0
    )  # no time stamp, so that one seed gives the same bytes


def _selection(specimen: Specimen, spots: Spots) -> str:
    lines = ["x\ty\tnew_x\tnew_y\tpixel_x\tpixel_y\tselected"]
    for (x, y), (pixel_x, pixel_y) in zip(spots.array, (spots.array - 1) * specimen.size_px / ARRAY_STEPS, strict=True):
        lines.append(f"{x:.0f}\t{y:.0f}\t{x:.3f}\t{y:.3f}\t{pixel_x:.2f}\t{pixel_y:.2f}\t1")
    return "\n".join(lines) + "\n"


def _labels(spots: Spots) -> str:
    lines = ["Row.names\tx\ty\tpixel_x\tpixel_y\tlabel"]
    for (x, y), label in zip(spots.array, spots.labels, strict=True):
        pixel_x, pixel_y = (x - 1) * LABEL_STEP_PX, (ST_POSITIONS[1] - y) * LABEL_STEP_PX
        name = f"{pixel_x:.0f}x{pixel_y:.0f}"
        lines.append(f"{name}\t{x:.3f}\t{y:.3f}\t{pixel_x:.2f}\t{pixel_y:.2f}\t{label or 'undetermined'}")
    return "\n".join(lines) + "\n"
