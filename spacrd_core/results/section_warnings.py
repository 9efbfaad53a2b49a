"""What to know before relying on the calls of a section: the same in the terminal, in JSON and in every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.results.files.xenium_groups import lacks_cell_table, missing_cells_note
from spacrd_core.results.warnings import collect_warnings
from spacrd_core.store.content import content_checksums

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.store.store import SpotStore


def section_warnings(store: SpotStore, section: str, spots: pd.DataFrame, detector: DetectorConfig) -> list[str]:
    """Return what to know before relying on the calls of a section of a store, the most serious first.

    >>> detector = load_detector("detector")
    >>> spots = detect(store, detector, sections=["S3"])["S3"]
    >>> cautions = section_warnings(store, "S3", spots, detector.config)

    ``spots`` is the table of :func:`~spacrd_core.detect`. The counts of the section are read only if the detector has
    checksums of those that it was trained on.
    """
    entry, pyramid = store.entry(section), store.pyramid(section)
    compared = any(trained.content for trained in detector.trained_on)
    warnings = collect_warnings(
        section,
        spots,
        detector,
        genes=bool(entry.genes),
        patient=entry.patient,
        slide_um_per_px=pyramid.levels[0].um_per_px if pyramid else 0.0,
        content=content_checksums(entry, store.section(section)) if compared else (),
    )
    return [*warnings, missing_cells_note(section)] if lacks_cell_table(store, section) else warnings
