"""The table of bands around the border of a section's cancer regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from spacrd_core.results.result import SectionResult


class BandRow(NamedTuple):
    """One band: its description, number of spots, area of their tissue, and mean probability; None without spots."""

    name: str
    spots: int
    mm2: float
    probability: float | None


def band_rows(result: SectionResult) -> list[BandRow]:
    """Return every band of a section, from the core outwards; none if there is no border."""
    if not result.margins.has_border:
        return []
    codes = result.margins.band.codes
    return [_row(result, name, codes == code) for code, name in enumerate(result.bands.descriptions)]


def no_border_reason(result: SectionResult) -> str:
    """Return why no spot has a distance from a border; '' if some have one, or no regions are drawn at all."""
    if not result.has_regions or result.margins.has_border:
        return ""
    if not result.regions:
        return "no cancer region"
    return "the cancer regions touch no other called tissue, and the edge of the tissue is not a margin"


def _row(result: SectionResult, name: str, spots: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> BandRow:
    count = int(spots.sum())
    mean = float(result.probability[spots].mean()) if count else None
    return BandRow(name, count, float(result.tissue_mm2[spots].sum()), mean)
