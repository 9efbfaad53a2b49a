"""The identity of a section: a hash of everything that determines what the store holds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cards import fingerprint
from spacrd_core.images.bounds import viewer_bounds

if TYPE_CHECKING:
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.section.section import Section

LAYOUT = 3  # increase it when the same input should give a different group


def section_identity(section: Section, options: IngestOptions, *, name: str, patient: str) -> str:
    """Return the identity of a section that was read with some options."""
    return fingerprint(
        {
            "layout": LAYOUT,
            "name": name,
            "patient": patient,
            "platform": section.platform,
            "sources": sorted([source.role, source.sha256] for source in section.sources),
            "options": {key: str(value) for key, value in sorted(options.reader.options.items())},
            "vocabulary": [list(options.positive), list(options.ignore)],
            **({"label_section": options.label_section} if options.label_section else {}),
            "geometry": [
                section.um_per_px,
                section.spot_um,
                section.pitch_um,
                section.slide.scale if section.slide else None,
            ],
            "mpp": options.mpp,
            **({"viewer_bounds": bounds} if section.slide and (bounds := viewer_bounds(section.slide)) else {}),
        }
    )
