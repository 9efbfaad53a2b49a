"""The calls of a section at every threshold: what the table of sections shows at a common one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.results.result import SectionResult

STEPS = 100  # thresholds 0, 0.01, ..., 1


def threshold_curves(result: SectionResult) -> dict[str, Any]:
    """Return the number of cancer and uncertain spots, and the area of cancer in mm2, at each threshold.

    The rule is that of the report's slider: a spot is uncertain if it is doubtful, or if its distance to the threshold
    is below its spread; without a probability it keeps its label. The area is None if no regions are drawn.
    """
    thresholds = np.linspace(0, 1, STEPS + 1)
    spots, known = result.spots, np.isfinite(result.probability)
    clear = known & ~spots["doubtful"].to_numpy(dtype=bool)
    probability = result.probability[clear]
    spread = np.nan_to_num(spots["spread"].to_numpy(dtype=float)[clear])
    cancer_to = np.sort(probability - spread)  # a spot is called cancer up to this threshold, and normal from the next
    normal_from = np.sort(np.where(spread > 0, probability + spread, np.nextafter(probability, np.inf)))
    cancer = len(probability) - np.searchsorted(cancer_to, thresholds, side="left")
    normal = np.searchsorted(normal_from, thresholds, side="right")
    kept = spots["label"][~known].value_counts()
    uncertain = int(known.sum()) - cancer - normal + int(kept.get("uncertain", 0))
    return {
        "cancer": (cancer + int(kept.get("cancer", 0))).tolist(),
        "uncertain": uncertain.tolist(),
        "mm2": _areas(result, thresholds) if result.has_regions else None,
    }


def _areas(result: SectionResult, thresholds: NDArray[np.float64]) -> list[float]:
    """Return the area of the regions in mm2 at each threshold."""
    level = np.nan_to_num(result.tessellation.region_levels(result.probability), nan=-1.0, neginf=-1.0)
    order = np.argsort(level)
    above = np.append(np.cumsum(result.tissue_mm2[order][::-1])[::-1], 0.0)
    areas = above[np.searchsorted(level[order], thresholds)]
    return [float(f"{area:.4g}") for area in areas.tolist()]
