"""What copy number says of the sections that a detector was trained on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from spacrd_core.copy_number.read import section_copy_number
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.read import with_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.cohort.section_data import SectionData

MAX_NAMES = 5  # of sections with one verdict


def training_copy_number(sections: Iterable[SectionData]) -> dict[str, dict[str, Any]]:
    """Return for every section with genes what copy number says of its tumour-like tissue; labels are not read."""
    measured = (section for section in sections if section.expression)
    with_own = (section if section.evidence else with_evidence(section, carcinoma()) for section in measured)
    return {section.id: section_copy_number(section).to_dict() for section in with_own}


def copy_number_note(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how many training sections show copy-number changes, and the verdict on the others; '' without genes."""
    if not results:
        return ""
    verdicts = Counter(str(section["verdict"]) for section in results.values())
    supported = verdicts.pop("supported", 0)
    others = ", ".join(f"{verdict}: {_names(results, verdict)}" for verdict in sorted(verdicts))
    sections = f"{len(results)} training sections"
    return f"{supported} of {sections}" + (f" ({others})" if others else "")


def _names(results: Mapping[str, Mapping[str, Any]], verdict: str) -> str:
    names = [name for name, section in results.items() if section["verdict"] == verdict]
    return " ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else "")
