"""A section as its reader returned it, rebuilt from the store, so that labels can be joined to it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CorruptStore
from spacrd_core.opening.names import as_bytes
from spacrd_core.section.section import Section, SlideFile, Source, SubSpots

if TYPE_CHECKING:
    import anndata as ad

    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def stored_section(store: SpotStore, entry: SectionEntry) -> Section:
    """Return a section of the store without its labels and notes; of the slide only its frame."""
    counts = store.section(entry.id)
    counts_order = counts.uns.get("spacrd", {}).get("counts_order")
    if counts_order is not None:
        counts.uns["counts_order"] = counts_order
    sources = (Source(source.role, Path(source.path), source.sha256) for source in entry.sources)
    return Section(
        platform=entry.platform,
        counts=counts,
        um_per_px=entry.um_per_px,
        spot_um=entry.spot_um,
        spot_shape=entry.spot_shape,
        pitch_um=entry.pitch_um,
        slide=_slide_frame(store, entry),
        sources=tuple(source for source in sources if source.role != "labels"),
        sub_spots=_cells(store, entry, counts),
        patient=entry.patient,
    )


def _slide_frame(store: SpotStore, entry: SectionEntry) -> SlideFile | None:
    slide = entry.slide
    if slide is None:
        return None
    scale = slide.file_px_per_full_px or slide.image_px_per_full_px
    path = next((source.path for source in entry.sources if source.role == "image"), store.path / slide.path)
    return SlideFile(Path(path), slide.um_per_full_px / scale, scale)


def _cells(store: SpotStore, entry: SectionEntry, counts: ad.AnnData) -> SubSpots | None:
    spot_of_cell = store.spot_of_cell(entry.id)
    if spot_of_cell is None:
        return None
    spots = counts.obs_names.get_indexer(spot_of_cell.astype(object)).astype(np.int32)
    return SubSpots("cell", as_bytes(spot_of_cell.index, store.path, CorruptStore), spots)
