"""What the report shows of one section: its row, its picture, and the numbers its script draws."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.results.report.canvas_data import given_labels, plot
from spacrd_core.results.report.viewport import native_px, photograph, window
from spacrd_core.results.result import SETS

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from spacrd_core.detection.attribution import Driver
    from spacrd_core.results.report.viewport import Window
    from spacrd_core.results.result import SectionResult

LONGEST_PX = 2000  # twice to four times what a screen shows of the whole, for looking closer
QUALITY = 75  # of WebP, which takes two thirds of a JPEG's bytes
MOST_BYTES = 540_000  # so that twenty sections of 5,000 spots stay under 30 MB whatever the tissue


@dataclass(frozen=True)
class SectionView:
    """One section as the report's template takes it.

    Attributes
    ----------
    summary
        Its row in the table.
    facts
        What was measured and how well it was covered, by name.
    photo
        The H&E as a data URI; empty where there is none.
    plot
        What is drawn over it; JSON-able.
    cautions, remarks
        What to know before relying on the calls, and how the section was read.
    given
        How many spots came with which label, and who gave it; empty where none did.
    genes
        What drives the calls: genes that push towards cancer, and towards normal, by heading.
    """

    summary: dict[str, object]
    facts: dict[str, str]
    photo: str
    plot: dict[str, Any]
    cautions: list[str]
    remarks: list[str]
    given: str
    genes: dict[str, list[Driver]]


def view_section(result: SectionResult) -> SectionView:
    """Return what the report shows of a section; the section itself can be let go."""
    view = window(result)
    return SectionView(
        summary=result.summary(),
        facts=_facts(result),
        photo=_photo(result, view),
        plot=plot(result, view),
        cautions=[note for note in result.notes if note not in result.remarks],
        remarks=list(result.remarks),
        given=_given(result),
        genes=_genes(result),
    )


def _photo(result: SectionResult, view: Window) -> str:
    """Return the H&E as a data URI, no finer than it is known."""
    native = native_px(result, view)
    if native is None:
        return ""
    longest_px = min(LONGEST_PX, native)
    while len(packed := _webp(photograph(result, view, longest_px=longest_px))) > MOST_BYTES:
        longest_px = int(0.85 * longest_px)
    return f"data:image/webp;base64,{base64.b64encode(packed).decode()}"


def _webp(photo: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, format="WEBP", quality=QUALITY)
    return buffer.getvalue()


def _given(result: SectionResult) -> str:
    codes = given_labels(result)
    if not codes:
        return ""
    counts = f"{codes.count(0)} cancer, {codes.count(1)} normal, {codes.count(-1)} without a label"
    obs = result.adata.obs
    sources = sorted(set(obs["label_source"].dropna().astype(str)) - {""}) if "label_source" in obs else []
    return f"{counts}; from {', '.join(sources)}" if sources else counts


def _genes(result: SectionResult) -> dict[str, list[Driver]]:
    found = {
        "Towards cancer": [driver for driver in result.genes if driver.attribution > 0],
        "Towards normal": [driver for driver in result.genes if driver.attribution < 0],
    }
    return {heading: drivers for heading, drivers in found.items() if drivers}


def _facts(result: SectionResult) -> dict[str, str]:
    spots = result.spots
    image_um = result.um_per_px / result.image_px_per_full_px
    return {
        "Spot": f"{result.spot_um:g} µm {result.spot_shape}, {result.pitch_um:g} µm apart",
        "Image": f"{image_um:.3g} µm per px" if result.thumbnail is not None else "none",
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
