"""The numbers that the report's script draws of one section, as JSON has them.

Places and lengths are in units of the frame: its longer side has ``FRAME`` of them.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.results.result import CLASSES, TOPS
from spacrd_core.results.warnings import wholly_strange

if TYPE_CHECKING:
    from spacrd_core.results.report.viewport import Window
    from spacrd_core.results.result import SectionResult

FRAME = 10_000  # whole numbers are then fine enough at any zoom, and are short to write


def plot(result: SectionResult, view: Window) -> dict[str, Any]:
    """Return a section's spots, what is known of each, and the edges between them."""
    zoom = FRAME / max(view.width, view.height)  # units per full-resolution px
    corner = np.array([view.left, view.top])
    points = (result.points - corner) * zoom
    edges = (result.cells.edges.reshape(-1, 2, 2) - corner) * zoom
    return {
        "width": round(view.width * zoom, 1),
        "height": round(view.height * zoom, 1),
        "um": result.um_per_px / zoom,
        "spot": {"shape": result.spot_shape, "width": round(result.spot_px * zoom, 1), "angle": round(result.angle, 4)},
        "pitch": round(result.pitch_um / result.um_per_px * zoom, 1),
        "threshold": round(result.threshold, 6),
        "regions": not wholly_strange(result.spots),
        "x": np.rint(points[:, 0]).astype(int).tolist(),
        "y": np.rint(points[:, 1]).astype(int).tolist(),
        "um2": [float(f"{area:.5g}") for area in result.cells.areas * result.um_per_px**2],
        "edges": _packed(edges),
        "sides": result.cells.sides.ravel().tolist(),
        **_spots(result),
    }


def _spots(result: SectionResult) -> dict[str, Any]:
    spots, labels = result.spots, list(CLASSES)
    return {
        "id": [str(spot) for spot in spots.index],
        "probability": _rounded(result.probability, 6),
        "label": [labels.index(label) for label in spots["label"]],
        "doubt": np.flatnonzero(_doubtful(result)).tolist(),
        "spread": _rounded(spots["spread"], 6),
        "ood": _rounded(spots["ood"], 3),
        "top": pd.Categorical(spots["top_modality"], categories=TOPS).codes.tolist(),
        "push": _rounded(spots["top_contribution"], 2),
        "given": given_labels(result),
    }


def given_labels(result: SectionResult) -> list[int]:
    """Return the label each called spot came with, as its place in ``CLASSES``; -1 where it came with none."""
    if "label" not in result.adata.obs:
        return []
    given = result.adata.obs["label"].reindex(result.spots.index)
    found: list[int] = pd.Categorical(given, categories=["cancer", "normal"]).codes.tolist()
    return found if max(found, default=-1) >= 0 else []


def _doubtful(result: SectionResult) -> np.ndarray[Any, Any]:
    """Which spots are uncertain whatever the threshold.

    A table of an older SpaCRD does not say: known are those where the spread does not reach across its own threshold.
    """
    if "doubtful" in result.spots:
        return np.asarray(result.spots["doubtful"], dtype=bool)
    unsure = (result.spots["label"] == "uncertain").to_numpy()
    near = np.abs(result.probability - result.threshold) < result.spots["spread"].to_numpy(dtype=float)
    return np.asarray(unsure & ~near)


def _packed(places: np.ndarray[Any, Any]) -> str:
    """Return whole numbers as base64 of 16 bits each, a third of their length in JSON."""
    return base64.b64encode(np.rint(places).clip(0, 2**16 - 1).astype("<u2").tobytes()).decode()


def _rounded(values: Any, digits: int) -> list[float | None]:
    """Return numbers as JSON has them: null for what is not finite."""
    return [round(value, digits) if np.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]
