"""One section as the report shows it: table row, picture, facts, and the numbers that the script draws."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spacrd_core.results.files.profile_picture import profile_svg
from spacrd_core.results.report.band_table import BandRow, band_rows, no_border_reason
from spacrd_core.results.report.canvas_data import annotation_codes, canvas_data
from spacrd_core.results.report.facts import section_facts
from spacrd_core.results.report.histogram import histogram
from spacrd_core.results.report.label_agreement import label_agreement
from spacrd_core.results.report.threshold_curves import threshold_curves
from spacrd_core.results.report.thumbnail import thumbnail
from spacrd_core.results.report.viewport import MAX_PHOTO_PX, he_image, native_px, section_viewport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.detection.attribution import DrivingGene
    from spacrd_core.results.report.histogram import Bar
    from spacrd_core.results.report.label_agreement import LabelAgreement
    from spacrd_core.results.report.links import FileLink
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
    histogram
        The bars of its probabilities.
    curves
        Its numbers at every threshold, for the table of sections.
    agreement
        How its calls agree with the labels that it was ingested with; None without labels.
    files
        The files that were written for the section beside the report.
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
    histogram: list[Bar]
    curves: dict[str, Any]
    agreement: LabelAgreement | None
    files: Sequence[FileLink]
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


def build_section_view(result: SectionResult, files: Sequence[FileLink] = ()) -> SectionView:
    """Return a section for the report, with links to its files; the view does not keep the section in memory."""
    view = section_viewport(result)
    return SectionView(
        summary=result.summary(),
        facts=section_facts(result),
        photo=_photo(result, view),
        canvas=canvas_data(result, view),
        warnings=[note for note in result.notes if note not in result.remarks],
        remarks=list(result.remarks),
        histogram=histogram(result.probability),
        curves=threshold_curves(result),
        agreement=label_agreement(result),
        files=files,
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
