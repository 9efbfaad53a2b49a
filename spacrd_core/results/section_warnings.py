"""What to know before relying on the calls of a section: the same in the terminal, in JSON and in every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.results.files.xenium_groups import lacks_cell_table, missing_cells_note
from spacrd_core.results.warnings import collect_warnings
from spacrd_core.store.content import content_checksums, stored_content

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.store.store import SpotStore


def section_warnings(store: SpotStore, section: str, spots: pd.DataFrame, detector: DetectorConfig) -> list[str]:
    """Return what to know before relying on the calls of a section of a store, the most serious first.

    >>> detector = load_detector("detector")
    >>> spots = detect(store, detector, sections=["S3"])["S3"]
    >>> cautions = section_warnings(store, "S3", spots, detector.config)

    ``spots`` is the table of :func:`~spacrd_core.detect`.
    """
    entry, pyramid = store.entry(section), store.pyramid(section)
    content = stored_content(spots)
    if content is None:  # called by an earlier version
        content = content_checksums(entry, store.section(section))
    warnings = collect_warnings(
        section,
        spots,
        detector,
        genes=bool(entry.genes),
        patient=entry.patient,
        slide_um_per_px=pyramid.levels[0].um_per_px if pyramid else 0.0,
        content=content,
    )
    return [*warnings, missing_cells_note(section)] if lacks_cell_table(store, section) else warnings
