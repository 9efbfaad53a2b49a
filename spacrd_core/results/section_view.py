"""What the report shows of one section: its row, its picture, and the numbers its script draws."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.results.picture import photograph, scale_bar, window
from spacrd_core.results.result import CLASSES, SETS, TOPS

if TYPE_CHECKING:
    from PIL import Image

    from spacrd_core.learning.drivers import Driver
    from spacrd_core.results.picture import Window
    from spacrd_core.results.result import SectionResult

LONGEST_PX = 900
JPEG_QUALITY = 80


@dataclass(frozen=True)
class SectionView:
    """One section as the report's template takes it.

    Attributes
    ----------
    summary
        Its row in the table.
    facts
        What was measured and how well it was covered, by name.
    photo, width, height
        The H&E as a data URI, and its size in px.
    plot
        What is drawn over it, in px of the photo; JSON-able.
    genes
        What drives the calls: genes that push towards cancer, and towards normal, by heading.
    """

    summary: dict[str, object]
    facts: dict[str, str]
    photo: str
    width: int
    height: int
    plot: dict[str, Any]
    genes: dict[str, list[Driver]]


def view_section(result: SectionResult) -> SectionView:
    """Return what the report shows of a section; the section itself can be let go."""
    view = window(result)
    photo = photograph(result, view, longest_px=LONGEST_PX)
    plot = _plot(result, view, photo.width / view.width)
    return SectionView(
        result.summary(), _facts(result), _data_uri(photo), photo.width, photo.height, plot, _genes(result)
    )


def _genes(result: SectionResult) -> dict[str, list[Driver]]:
    found = {
        "Towards cancer": [driver for driver in result.genes if driver.attribution > 0],
        "Towards normal": [driver for driver in result.genes if driver.attribution < 0],
    }
    return {heading: drivers for heading, drivers in found.items() if drivers}


def _facts(result: SectionResult) -> dict[str, str]:
    spots = result.spots
    return {
        "Spot": f"{result.spot_um:g} µm {result.spot_shape}, {result.pitch_um:g} µm apart",
        "Image": f"{result.um_per_px:.3g} µm per full-resolution px" if result.thumbnail is not None else "none",
        "Threshold": f"{result.threshold:.3f}" + (f", {result.threshold_rule}" if result.threshold_rule else ""),
        "Conformal sets": _sets(result),
        "Gene coverage": _percent(spots["gene_coverage"]),
        "Image coverage": _percent(spots["image_coverage"]),
        "Out-of-distribution score": _novelty(spots["ood"]),
    }


def _sets(result: SectionResult) -> str:
    """How many spots may be either class at the sets' level; nothing where there are none."""
    if result.alpha is None:
        return ""
    counts = result.spots["set"].value_counts()
    found = ", ".join(f"{int(counts.get(name, 0))} {name}" for name in SETS)
    promised = (
        f"to hold the true class of {1 - result.alpha:.0%} of the spots of patients like those held out in training"
    )
    return f"{found}; {promised}"


def _percent(values: pd.Series[Any]) -> str:
    known = values.dropna().astype(float)
    return f"{known.mean():.0%} on average, {known.min():.0%} at least" if len(known) else "none"


def _novelty(values: pd.Series[Any]) -> str:
    known = values.dropna().astype(float)
    if not len(known):
        return "not known"
    return f"median {known.median():.2g}; {(known > 1).mean():.0%} of spots above 1, unlike the training tissue"


def _data_uri(photo: Image.Image) -> str:
    buffer = io.BytesIO()
    photo.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _plot(result: SectionResult, view: Window, zoom: float) -> dict[str, Any]:
    cells = result.cells
    corner = np.array([view.left, view.top])
    points = (result.points - corner) * zoom
    edges = (cells.edges.reshape(-1, 2, 2) - corner).reshape(-1, 4) * zoom
    um, text = scale_bar(view.width * result.um_per_px)
    labels = list(CLASSES)
    return {
        "id": [str(spot) for spot in result.spots.index],
        "x": _rounded(points[:, 0], 1),
        "y": _rounded(points[:, 1], 1),
        "probability": _rounded(result.probability, 6),
        "level": _rounded(cells.levels(result.probability), 6),
        "mm2": _rounded(cells.areas * (result.um_per_px / 1000) ** 2, 9),
        "label": [labels.index(label) for label in result.spots["label"]],
        "doubt": _doubtful(result).tolist(),
        "spread": _rounded(result.spots["spread"].to_numpy(dtype=float), 6),
        "ood": _rounded(result.spots["ood"].to_numpy(dtype=float), 3),
        "top": pd.Categorical(result.spots["top_modality"], categories=TOPS).codes.tolist(),
        "push": _rounded(result.spots["top_contribution"].to_numpy(dtype=float), 2),
        "edges": _rounded(edges.ravel(), 1),
        "sides": cells.sides.ravel().tolist(),
        "threshold": round(result.threshold, 6),
        "spot": {
            "shape": result.spot_shape,
            "width": round(result.spot_px * zoom, 2),
            "angle": round(result.angle, 4),
        },
        "pitch": round(result.pitch_um / result.um_per_px * zoom, 2),
        "bar": {"width": round(um / result.um_per_px * zoom, 1), "text": text},
    }


def _doubtful(result: SectionResult) -> np.ndarray[Any, Any]:
    """Which spots are uncertain though the spread does not reach across the threshold: they are at any threshold."""
    unsure = (result.spots["label"] == "uncertain").to_numpy()
    near = np.abs(result.probability - result.threshold) < result.spots["spread"].to_numpy(dtype=float)
    return np.asarray(unsure & ~near)


def _rounded(values: np.ndarray[Any, Any], digits: int) -> list[float | None]:
    """Return numbers as JSON has them: null for what is not finite."""
    return [round(value, digits) if np.isfinite(value) else None for value in values.tolist()]
