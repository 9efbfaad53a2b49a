"""What copy number says of the sections that a detector was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.copy_number.read import read_copy_number
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.read import with_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.cohort.section_data import SectionData


def training_copy_number(sections: Iterable[SectionData]) -> dict[str, dict[str, Any]]:
    """Return for every section with genes what copy number says of its tumour-like tissue; labels are not read."""
    measured = (section for section in sections if section.expression)
    with_own = (section if section.evidence else with_evidence(section, carcinoma()) for section in measured)
    return {section.id: read_copy_number(section).section.to_dict() for section in with_own}


def copy_number_note(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how many training sections show copy-number changes, and the verdict on the others; '' without genes."""
    if not found:
        return ""
    others = [f"{name}: {section['verdict']}" for name, section in found.items() if section["verdict"] != "supported"]
    sections = f"{len(found)} training section{'s' if len(found) > 1 else ''}"
    return f"{len(found) - len(others)} of {sections}" + (f" ({', '.join(others)})" if others else "")
