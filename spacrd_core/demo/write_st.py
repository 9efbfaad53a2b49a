"""The files of one legacy ST section, named and laid out as the her2st deposition does."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spacrd_core.demo.genes import GENES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PITCHES = (32, 34)  # array steps across and down the image, which is cropped to the array's frame
LABEL_PX = 125.0  # of one array step in the label files, whose y points up


@dataclass(frozen=True)
class DemoSection:
    """A section to be written: array positions (spots x 2), counts, one label a spot, and the image."""

    name: str
    patient: str
    places: NDArray[np.float64]
    counts: NDArray[np.int64]
    labels: list[str]
    picture: NDArray[np.uint8]

    @property
    def ids(self) -> list[str]:
        """The spots' names: their rounded array positions."""
        return [f"{x:.0f}x{y:.0f}" for x, y in np.rint(self.places)]


def write_section(folder: Path, section: DemoSection) -> dict[str, str]:
    """Write the four files of a section; return its row of a cohort table, paths relative to the folder."""
    name = section.name
    files = {
        "path": f"ST-cnts/{name}.tsv.gz",
        "spots": f"ST-spotfiles/{name}_selection.tsv",
        "labels": f"ST-pat/lbl/{name}_labeled_coordinates.tsv",
        "image": f"ST-imgs/{section.patient}/{name}/{name}_HE.jpg",
    }
    for file in files.values():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / files["path"]).write_bytes(_zipped(_counts(section)))
    (folder / files["spots"]).write_text(_selection(section), encoding="utf-8")
    (folder / files["labels"]).write_text(_labels(section), encoding="utf-8")
    Image.fromarray(section.picture).save(folder / files["image"], quality=85)
    del files["spots"]  # found by its name
    return {**files, "name": name, "patient": section.patient, "reader": "st"}


def _counts(section: DemoSection) -> str:
    table = io.StringIO()
    table.write("\t".join(("", *GENES)) + "\n")
    for spot, row in zip(section.ids, section.counts.tolist(), strict=True):
        table.write("\t".join((spot, *map(str, row))) + "\n")
    return table.getvalue()


def _zipped(text: str) -> bytes:
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)  # no time stamp: the same seed, the same bytes


def _selection(section: DemoSection) -> str:
    height, width = section.picture.shape[:2]
    lines = ["x\ty\tnew_x\tnew_y\tpixel_x\tpixel_y\tselected"]
    for x, y in section.places:
        pixel_x, pixel_y = (x - 1) * width / PITCHES[0], (y - 1) * height / PITCHES[1]
        lines.append(f"{x:.0f}\t{y:.0f}\t{x:.3f}\t{y:.3f}\t{pixel_x:.2f}\t{pixel_y:.2f}\t1")
    return "\n".join(lines) + "\n"


def _labels(section: DemoSection) -> str:
    lines = ["Row.names\tx\ty\tpixel_x\tpixel_y\tlabel"]
    for (x, y), label in zip(section.places, section.labels, strict=True):
        pixel_x, pixel_y = (x - 1) * LABEL_PX, (PITCHES[1] + 1 - y) * LABEL_PX
        lines.append(f"{pixel_x:.0f}x{pixel_y:.0f}\t{x:.3f}\t{y:.3f}\t{pixel_x:.2f}\t{pixel_y:.2f}\t{label}")
    return "\n".join(lines) + "\n"
