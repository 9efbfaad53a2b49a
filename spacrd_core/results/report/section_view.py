"""One section as the report shows it: table row, picture, facts, and the numbers that the script draws."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spacrd_core.results.files.profile_picture import profile_svg
from spacrd_core.results.report.band_table import BandRow, band_rows, no_border_reason
from spacrd_core.results.report.canvas_data import annotation_codes, canvas_data
from spacrd_core.results.report.thumbnail import thumbnail
from spacrd_core.results.report.viewport import MAX_PHOTO_PX, he_image, native_px, section_viewport
from spacrd_core.results.result import SET_NAMES

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.detection.attribution import DrivingGene
    from spacrd_core.model.findings import Findings
    from spacrd_core.results.report.viewport import Viewport
    from spacrd_core.results.result import SectionResult

WEBP_QUALITY = 75  # WebP takes two thirds of the bytes of JPEG
WEBP_METHOD = 2  # half the time of its default, for 3% more bytes
MAX_PHOTO_BYTES = 540_000  # keeps twenty sections of 5,000 spots under 30 MB for any tissue


@dataclass(frozen=True)
class SectionView:
    """One section as the report's template uses it.

    Attributes
    ----------
    summary
        The row in the table of sections.
    facts
        Geometry, threshold and coverage, by display name.
    photo
        The H&E as a data URI; empty without an image.
    canvas
        The data that the script draws over the photo; JSON-compatible.
    warnings, remarks
        What to know before relying on the calls, and how the section was ingested.
    annotation
        Counts and source of the labels that the section was ingested with; empty without labels.
    genes
        The genes that drive the calls, by heading: towards cancer and towards normal.
    bands, no_border
        The bands around the border of the cancer regions, or why there is no border.
    copy_number, profile
        What copy number says, and its profile along the genome as a data URI; empty if it is unknown.
    thumbnail
        A small picture for the index, as a data URI; empty if there is no index.
    """

    summary: dict[str, object]
    facts: dict[str, str]
    photo: str
    canvas: dict[str, Any]
    warnings: list[str]
    remarks: list[str]
    annotation: str
    genes: dict[str, list[DrivingGene]]
    bands: list[BandRow]
    no_border: str
    copy_number: CopyNumber
    profile: str
    thumbnail: str = ""

    def without_stage(self) -> SectionView:
        """Return the section without what only its page shows: pictures, the data of its spots, and genes."""
        return replace(self, photo="", canvas={}, genes={}, bands=[], profile="")


def build_section_view(result: SectionResult) -> SectionView:
    """Return a section for the report; the view does not keep the section in memory."""
    view = section_viewport(result)
    return SectionView(
        summary=result.summary(),
        facts=_facts(result),
        photo=_photo(result, view),
        canvas=canvas_data(result, view),
        warnings=[note for note in result.notes if note not in result.remarks],
        remarks=list(result.remarks),
        annotation=_annotation(result),
        genes=_genes(result),
        bands=band_rows(result),
        no_border=no_border_reason(result),
        copy_number=result.copy_number,
        profile=_data_uri("image/svg+xml", profile_svg(result.copy_number)) if result.copy_number.segments else "",
    )


def add_thumbnail(view: SectionView, result: SectionResult) -> SectionView:
    """Return the section with its small picture for the index."""
    return replace(view, thumbnail=_data_uri("image/webp", _webp(thumbnail(result))))


def _photo(result: SectionResult, view: Viewport) -> str:
    """Return the H&E as a data URI, never upsampled."""
    native = native_px(result, view)
    if native is None:
        return ""
    longest_px = min(MAX_PHOTO_PX, native)
    while len(encoded := _webp(he_image(result, view, longest_px=longest_px))) > MAX_PHOTO_BYTES:
        longest_px = int(0.85 * longest_px)
    return _data_uri("image/webp", encoded)


def _data_uri(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _webp(photo: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, format="WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return buffer.getvalue()


def _annotation(result: SectionResult) -> str:
    codes = annotation_codes(result)
    if not codes:
        return ""
    counts = f"{codes.count(0)} cancer, {codes.count(1)} normal, {codes.count(-1)} without a label"
    obs = result.adata.obs
    sources = sorted(set(obs["label_source"].dropna().astype(str)) - {""}) if "label_source" in obs else []
    return f"{counts}; from {', '.join(sources)}" if sources else counts


def _genes(result: SectionResult) -> dict[str, list[DrivingGene]]:
    genes = {
        "Towards cancer": [driver for driver in result.genes if driver.attribution > 0],
        "Towards normal": [driver for driver in result.genes if driver.attribution < 0],
    }
    return {heading: drivers for heading, drivers in genes.items() if drivers}


def _facts(result: SectionResult) -> dict[str, str]:
    spots = result.spots
    image_um = result.um_per_px / result.image_px_per_full_px
    return {
        "Spot": f"{result.spot_um:g} µm {result.spot_shape}, pitch {result.pitch_um:g} µm",
        "Image": f"{image_um:.3g} µm/px" if result.thumbnail is not None else "none",
        "Threshold": f"{result.threshold:.3f}" + (f", {result.threshold_rule}" if result.threshold_rule else ""),
        "Conformal sets": _sets(result),
        "Gene coverage": _percent(spots["gene_coverage"]),
        "Image coverage": _percent(spots["image_coverage"]),
        "Out-of-distribution score": _ood_summary(spots["ood"]),
        "Agreement with the prior": _agreement(result.findings),
        "Epithelium": _epithelium(result.findings),
        "Copy number": result.copy_number.summary,
    }


def _sets(result: SectionResult) -> str:
    """Return how many spots have which conformal set; empty without sets."""
    if result.alpha is None:
        return ""
    counts = result.spots["set"].value_counts()
    sizes = ", ".join(f"{int(counts.get(name, 0))} {name}" for name in SET_NAMES)
    coverage = f"{1 - result.alpha:.0%}"
    return f"{sizes}. For patients like the held-out ones, the sets contain the true class of {coverage} of the spots"


def _agreement(findings: Findings) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in findings.agreement.items())


def _epithelium(findings: Findings) -> str:
    measured, listed = findings.epithelial_genes
    return f"{findings.epithelium} ({measured} of {listed} genes measured)" if findings.epithelium else ""


def _percent(values: pd.Series[Any]) -> str:
    known = values.dropna().astype(float)
    return f"mean {known.mean():.0%}, minimum {known.min():.0%}" if len(known) else "none"


def _ood_summary(values: pd.Series[Any]) -> str:
    known = values.dropna().astype(float)
    if not len(known):
        return "unknown"
    return f"median {known.median():.2g}; {(known > 1).mean():.0%} of spots above 1 (unlike the training tissue)"
