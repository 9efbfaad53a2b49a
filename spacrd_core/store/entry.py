"""The manifest entry of a section that has been written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.cards import fingerprint
from spacrd_core.quoting import MAX_ITEMS
from spacrd_core.store.manifest import GroupRecord, SectionEntry, SlideRecord, SourceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import anndata as ad

    from spacrd_core.section.section import Section, Source


@dataclass(frozen=True)
class SectionKey:
    """The name of a section in the store, its patient, and the working um/px of its slide.

    ``identity`` is a hash of everything the section was made from, ``given`` the options that the user gave.
    ``slide_folder`` is the name under which its slide is stored, which parts of one capture area share; '' for its own.
    """

    name: str
    patient: str
    identity: str
    mpp: float = 0.5
    given: Mapping[str, Any] = field(default_factory=dict)
    slide_folder: str = ""


def make_entry(
    section: Section, key: SectionKey, adata: ad.AnnData, group: GroupRecord, slide: SlideRecord | None
) -> SectionEntry:
    """Return the entry of a section whose group and slide have been written."""
    return SectionEntry(
        id=key.name,
        patient=key.patient,
        platform=section.platform,
        identity=key.identity,
        geometry=fingerprint([[slide.path, slide.um_per_full_px] if slide else [], _positions_sha256(adata)]),
        spots=adata.n_obs,
        genes=adata.n_vars,
        um_per_px=section.um_per_px,
        spot_um=section.spot_um,
        spot_shape=section.spot_shape,
        pitch_um=section.pitch_um,
        **label_facts(section),
        notes=section.notes,
        given=dict(key.given),
        sources=source_records(section.sources),
        section=group,
        slide=slide,
    )


def label_facts(section: Section) -> dict[str, Any]:
    """Return the fields of an entry that are about the labels."""
    labels = section.counts.obs.get("label")
    return {
        "labelled": 0 if labels is None else int(labels.notna().sum()),
        "cancer": 0 if labels is None else int((labels == "cancer").sum()),
        "label_source": _label_source(section),
        "label_notes": section.label_notes,
    }


def source_records(sources: Iterable[Source]) -> tuple[SourceRecord, ...]:
    """Return the records of the files a section was read from, with absolute paths."""
    return tuple(SourceRecord(role=s.role, path=str(s.path.absolute()), sha256=s.sha256) for s in sources)


def _label_source(section: Section) -> str:
    """Return the source of the labels: the column of that name if there is one, else the label file."""
    column = section.counts.obs.get("label_source")
    if column is not None and len(column):
        return ", ".join([*dict.fromkeys(map(str, column))][:MAX_ITEMS])
    return next((source.path.name for source in section.sources if source.role == "labels"), "")


def _positions_sha256(adata: ad.AnnData) -> str:
    digest = hashlib.sha256("\n".join(adata.obs_names).encode())
    positions_px = adata.obs[["x_px", "y_px"]].to_numpy(dtype="<f8").round(3) + 0.0  # no -0.0
    digest.update(np.ascontiguousarray(positions_px).tobytes())
    return digest.hexdigest()
