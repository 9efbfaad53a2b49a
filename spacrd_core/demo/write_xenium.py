"""The files of one Xenium section: the bundle, the post-run H&E with its alignment, and the type of every cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.demo.genes import PANEL
from spacrd_core.demo.tissue import FAT, GLANDS, IMMUNE, STROMA, TUMOUR
from spacrd_core.demo.write_tenx import genes, write_matrix, write_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.demo.genes import Counts
    from spacrd_core.demo.measure import Cells, Floats
    from spacrd_core.demo.specimen import Specimen

PIXEL_UM = 0.2125  # of the instrument's images, the target of the alignment
SOFTWARE = "xenium-2.0.0.10"
CONTROLS = {  # feature types that are not genes: name prefix, number of features, column with their counts
    "Negative Control Probe": ("NegControlProbe_", 20, "control_probe_counts"),
    "Negative Control Codeword": ("NegControlCodeword_", 41, "control_codeword_counts"),
    "Unassigned Codeword": ("UnassignedCodeword_", 100, "unassigned_codeword_counts"),
}
CONTROL_RATE = 2e-4  # mean counts of a control per cell
TYPES = {TUMOUR: "Invasive_Tumor", STROMA: "Stromal", FAT: "Adipocytes", IMMUNE: "Immune", GLANDS: "Luminal"}


def write_xenium(folder: Path, specimen: Specimen, cells: Cells) -> dict[str, str]:
    """Write bundle, H&E and cell types; return the row for the cohort table, with paths relative to ``folder``."""
    name = specimen.name
    files = {
        "path": f"Xenium/{name}/outs",
        "labels": f"Xenium/{name}/{name}_cell_types.csv",
        "image": f"Xenium/{name}/{name}_he_image.ome.tif",
        "alignment": f"Xenium/{name}/{name}_he_imagealignment.csv",
    }
    outs = folder / files["path"]
    outs.mkdir(parents=True, exist_ok=True)
    corner = np.floor(cells.centres_um.min(axis=0)) - 10.0  # the origin of the instrument is the measured region
    ids = [_cell_id(number) for number in range(1, len(cells.class_indices) + 1)]
    controls = _write_matrix(outs / "cell_feature_matrix.h5", cells.counts, ids, np.random.default_rng(specimen.seed))
    _table(ids, cells.centres_um - corner, cells.counts, controls).to_parquet(outs / "cells.parquet", index=False)
    (outs / "experiment.xenium").write_text(_experiment(specimen, len(ids)), encoding="utf-8")
    types = pd.DataFrame(
        {"cell_id": ids, "cell_type": [TYPES[tissue_class] for tissue_class in cells.class_indices.tolist()]}
    )
    types.to_csv(folder / files["labels"], index=False)
    write_tiff(folder / files["image"], np.rot90(specimen.picture), um_per_px=specimen.um_per_px)
    np.savetxt(folder / files["alignment"], _alignment(specimen, corner), delimiter=",", fmt="%.10g")
    return {**files, "positive": TYPES[TUMOUR], "name": name, "patient": specimen.patient, "reader": "xenium"}


def _cell_id(number: int) -> str:
    """Return a cell id in 10x format: eight hexadecimal digits, written with the letters a to p."""
    return "".join("abcdefghijklmnop"[number >> 4 * digit & 15] for digit in range(7, -1, -1)) + "-1"


def _write_matrix(path: Path, counts: Counts, ids: list[str], rng: np.random.Generator) -> dict[str, Counts]:
    """Write genes and controls; return the counts per cell of each control type."""
    features, controls = genes(PANEL), {}
    for feature_type, (prefix, number, column) in CONTROLS.items():
        names = [f"{prefix}{index:05d}" for index in range(1, number + 1)]
        features += [(name, name, feature_type) for name in names]
        controls[column] = rng.poisson(CONTROL_RATE, (len(ids), number))
    write_matrix(path, np.hstack([counts, *controls.values()]), ids, features, software=SOFTWARE)
    return {column: values.sum(axis=1) for column, values in controls.items()}


def _table(ids: list[str], centres_um: Floats, counts: Counts, controls: dict[str, Counts]) -> pd.DataFrame:
    """Return the columns of ``cells.parquet``."""
    gene_counts = counts.sum(axis=1)
    return pd.DataFrame(
        {
            "cell_id": ids,
            "x_centroid": centres_um[:, 0],
            "y_centroid": centres_um[:, 1],
            "transcript_counts": gene_counts,
            **controls,
            "deprecated_codeword_counts": 0,
            "total_counts": gene_counts + sum(controls.values()),
            "cell_area": 120.0,
            "nucleus_area": 40.0,
        }
    )


def _experiment(specimen: Specimen, cells: int) -> str:
    experiment = {
        "major_version": 5,
        "minor_version": 0,
        "run_name": "SpaCRD demo, synthetic",
        "region_name": specimen.name,
        "num_cells": cells,
        "panel_name": f"SpaCRD demo panel of {len(PANEL)} genes",
        "pixel_size": PIXEL_UM,
        "analysis_sw_version": SOFTWARE,
    }
    return json.dumps(experiment, indent=2)


def _alignment(specimen: Specimen, corner_um: Floats) -> Floats:
    """Return the matrix from px of the H&E, scanned rotated by 90 degrees anticlockwise, to px of the instrument."""
    width, _ = specimen.size_px
    upright = np.array([[0.0, -1.0, width], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    to_um = np.diag([specimen.um_per_px, specimen.um_per_px, 1.0])
    from_corner = np.array([[1.0, 0.0, -corner_um[0]], [0.0, 1.0, -corner_um[1]], [0.0, 0.0, 1.0]])
    to_px = np.diag([1 / PIXEL_UM, 1 / PIXEL_UM, 1.0])
    return np.asarray(to_px @ from_corner @ to_um @ upright)
