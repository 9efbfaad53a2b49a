"""The numbers that the report's script draws for one section, as JSON values.

Positions and lengths are in canvas units; the longer side of the viewport is ``CANVAS_UNITS`` long.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.results.result import LABEL_STYLES, MODALITY_NAMES

if TYPE_CHECKING:
    from spacrd_core.results.report.viewport import Viewport
    from spacrd_core.results.result import SectionResult

CANVAS_UNITS = 10_000  # whole units are precise enough at any zoom, and short in JSON


def canvas_data(result: SectionResult, view: Viewport) -> dict[str, Any]:
    """Return the geometry of a section, its spots with their values, and the edges between them."""
    zoom = CANVAS_UNITS / max(view.width, view.height)  # units per full-resolution px
    corner = np.array([view.left, view.top])
    points = (result.points - corner) * zoom
    edges = (result.tessellation.edges.reshape(-1, 2, 2) - corner) * zoom
    return {
        "width": round(view.width * zoom, 1),
        "height": round(view.height * zoom, 1),
        "um_per_unit": result.um_per_px / zoom,
        "spot": {"shape": result.spot_shape, "width": round(result.spot_px * zoom, 1), "angle": round(result.angle, 4)},
        "pitch": round(result.pitch_um / result.um_per_px * zoom, 1),
        "threshold": round(result.threshold, 6),
        "has_regions": result.has_regions,
        "x": np.rint(points[:, 0]).astype(int).tolist(),
        "y": np.rint(points[:, 1]).astype(int).tolist(),
        "area_um2": [float(f"{area:.5g}") for area in result.tissue_mm2 * 1e6],
        "edges": _to_base64(edges),
        "edge_spots": result.tessellation.edge_spots.ravel().tolist(),
        **_spot_values(result),
    }


def _spot_values(result: SectionResult) -> dict[str, Any]:
    spots, labels = result.spots, list(LABEL_STYLES)
    return {
        "id": [str(spot) for spot in spots.index],
        "probability": _to_json_numbers(result.probability, 6),
        "label": [labels.index(label) for label in spots["label"]],
        "doubtful": np.flatnonzero(spots["doubtful"]).tolist(),
        "spread": _to_json_numbers(spots["spread"], 6),
        "ood": _to_json_numbers(spots["ood"], 3),
        "copy_number": _to_json_numbers(spots["copy_number"], 2),
        "border_distance": _to_json_numbers(result.margins.distance_um, 0),
        "top_modality": pd.Categorical(spots["top_modality"], categories=MODALITY_NAMES).codes.tolist(),
        "top_contribution": _to_json_numbers(spots["top_contribution"], 2),
        "annotation": annotation_codes(result),
    }


def annotation_codes(result: SectionResult) -> list[int]:
    """Return the label that each called spot was ingested with, as an index into ``LABEL_STYLES``; -1 for none."""
    if "label" not in result.adata.obs:
        return []
    labels = result.adata.obs["label"].reindex(result.spots.index)
    codes: list[int] = pd.Categorical(labels, categories=["cancer", "normal"]).codes.tolist()
    return codes if max(codes, default=-1) >= 0 else []


def _to_base64(positions: np.ndarray[Any, Any]) -> str:
    """Return whole numbers as base64 of 16 bits each, a third of their length in JSON."""
    return base64.b64encode(np.rint(positions).clip(0, 2**16 - 1).astype("<u2").tobytes()).decode()


def _to_json_numbers(values: Any, digits: int) -> list[float | None]:
    """Return rounded numbers for JSON, with null for values that are not finite."""
    return [round(value, digits) if np.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]
