"""The facts of a section in the report: how it was measured, called, and what was found about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.results.result import SET_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.model.findings import Findings
    from spacrd_core.results.result import SectionResult


def section_facts(result: SectionResult) -> dict[str, str]:
    """Return geometry, threshold, coverage and findings of a section, by display name."""
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
