"""Write one section and its slide into a store as immutable groups, and enter it in the manifest."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from spacrd_core._version import __version__
from spacrd_core.cards import fingerprint
from spacrd_core.errors import SectionExists
from spacrd_core.images.raster import open_raster
from spacrd_core.progress import Track, silent
from spacrd_core.slide.pyramid import Pyramid, write_pyramid
from spacrd_core.slide.tissue import on_tissue
from spacrd_core.store.elements import write_cells, write_section
from spacrd_core.store.manifest import GroupRecord, Manifest, SectionEntry, SlideRecord, SourceRecord
from spacrd_core.store.verify import is_sound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from spacrd_core.ingestion.checks import Checks
    from spacrd_core.section.section import Section
    from spacrd_core.store.store import SpotStore

THUMBNAIL_PX = 1000
FEW_ON_TISSUE = 0.9  # a slide of other tissue has some under most spots, too
LAYOUT = 1  # raise when the same slide should give another pyramid


@dataclass(frozen=True)
class Ticket:
    """What a section is called in the store, and the working um/px of its slide.

    ``identity`` stands for everything the section was made from.
    """

    name: str
    patient: str
    identity: str
    mpp: float = 0.5


def add_section(
    store: SpotStore, section: Section, ticket: Ticket, *, checks: Checks | None = None, track: Track = silent
) -> SectionEntry:
    """Add a section, or supersede the one of that name, and return what the manifest now says of it.

    Embeddings are kept where neither the slide nor the spots have changed.
    """
    known = store.entries.get(ticket.name)
    slide = _write_slide(store, section, ticket, track)
    pyramid = Pyramid.open(store.path / slide.path) if slide else None
    adata = _dress(section, ticket)
    if slide and pyramid:
        _add_picture(adata, ticket.name, pyramid, slide.um_per_full_px)
    with _staged(store, "sections", ticket.name) as folder:
        write_section(adata, folder)
        group = store.publish_group(folder, ticket.identity)
    entry = _entry(section, ticket, adata, group, slide)
    entry = entry.model_copy(update={"cells": _write_cells(store, section, ticket)})
    figures = asdict(checks) if checks else {}
    if slide and pyramid:
        figures["on_tissue"] = _on_tissue(section, slide, pyramid)
        notes = (*entry.notes, *pyramid.notes, *_doubts(figures["on_tissue"]))
        entry = entry.model_copy(update={"notes": notes})
    entry = entry.model_copy(update={"checks": figures})
    damaged = {group.path for group in known.groups if not is_sound(store, group)} if known else set()
    store.update(lambda manifest: _enter(manifest, entry, expected=known, damaged=damaged))
    return store.entry(ticket.name)


def _write_slide(store: SpotStore, section: Section, ticket: Ticket, track: Track) -> SlideRecord | None:
    slide = section.slide
    if slide is None:
        return None
    sha256 = next(source.sha256 for source in section.sources if source.role == "image")
    key = fingerprint([LAYOUT, sha256, slide.um_per_px, ticket.mpp])
    opened = 1.0 if slide.preview else slide.scale
    frames = {"um_per_full_px": slide.scale * slide.um_per_px, "image_px_per_full_px": opened}
    known = store.entries.get(ticket.name)
    if known and known.slide and known.slide.path == f"slides/{ticket.name}/{key}" and is_sound(store, known.slide):
        return known.slide.model_copy(update=frames)
    with _staged(store, "slides", ticket.name) as folder, open_raster(slide) as raster:
        write_pyramid(raster, folder, um_per_px=slide.um_per_px, mpp=ticket.mpp, track=track)
        group = store.publish_group(folder, key)
    return SlideRecord(path=group.path, sha256=group.sha256, **frames)


def _write_cells(store: SpotStore, section: Section, ticket: Ticket) -> GroupRecord | None:
    """Keep which spot each cell lies in, so that calls can be carried back; bins, which are millions, are not kept."""
    units = section.units
    if units is None or units.kind != "cell":
        return None
    names = pd.Index(units.ids.astype(str), dtype=object, name="cell_id")
    spots = pd.Categorical.from_codes(units.spots, categories=section.counts.obs_names)
    with _staged(store, "cells", ticket.name) as folder:
        write_cells(pd.Series(spots, index=names), folder)
        return store.publish_group(folder, ticket.identity)


@contextmanager
def _staged(store: SpotStore, kind: str, name: str) -> Iterator[Path]:
    """A fresh folder to fill and publish; it goes away, and its parents if they are empty, when that fails."""
    folder = store.temporary(kind, name)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        for parent in (folder.parent, folder.parent.parent, store.path):
            if any(parent.iterdir()):
                break
            parent.rmdir()
        raise


def _on_tissue(section: Section, slide: SlideRecord, pyramid: Pyramid) -> float:
    centres_um = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.um_per_full_px
    return float(on_tissue(pyramid, centres_um, spot_um=section.spot_um).mean())


def _doubts(share: float) -> Iterator[str]:
    if share < FEW_ON_TISSUE:
        yield f"only {share:.0%} of the spots lie on tissue: do the image and the positions belong together?"


def _dress(section: Section, ticket: Ticket) -> ad.AnnData:
    """The counts in squidpy's conventions, with the facts of their making."""
    counts = section.counts
    kept = {key: value for key, value in counts.uns.items() if key != "counts_order"}
    adata = ad.AnnData(X=counts.X, obs=counts.obs.copy(), var=counts.var.copy(), uns=kept)  # the matrix is not copied
    adata.obsm["spatial"] = adata.obs[["x_px", "y_px"]].to_numpy()
    diameter = section.spot_um / section.um_per_px
    adata.uns["spatial"] = {ticket.name: {"images": {}, "scalefactors": {"spot_diameter_fullres": diameter}}}
    adata.uns["spacrd"] = {
        "section": ticket.name,
        "patient": ticket.patient,
        "platform": section.platform,
        "um_per_px": section.um_per_px,
        "spot_um": section.spot_um,
        "spot_shape": section.spot_shape,
        "pitch_um": section.pitch_um,
        "version": __version__,
    }
    return adata


def _add_picture(adata: ad.AnnData, name: str, pyramid: Pyramid, um_per_full_px: float) -> None:
    picture, um_per_px = pyramid.thumbnail(THUMBNAIL_PX)
    shown = adata.uns["spatial"][name]
    shown["images"]["hires"] = picture
    shown["scalefactors"]["tissue_hires_scalef"] = um_per_full_px / um_per_px


def _entry(
    section: Section, ticket: Ticket, adata: ad.AnnData, group: GroupRecord, slide: SlideRecord | None
) -> SectionEntry:
    labels = adata.obs.get("label")
    return SectionEntry(
        id=ticket.name,
        patient=ticket.patient,
        platform=section.platform,
        identity=ticket.identity,
        geometry=fingerprint([[slide.path, slide.um_per_full_px] if slide else [], _positions(adata)]),
        spots=adata.n_obs,
        genes=adata.n_vars,
        um_per_px=section.um_per_px,
        spot_um=section.spot_um,
        spot_shape=section.spot_shape,
        pitch_um=section.pitch_um,
        labelled=0 if labels is None else int(labels.notna().sum()),
        cancer=0 if labels is None else int((labels == "cancer").sum()),
        label_source=_label_source(section),
        notes=section.notes,
        sources=tuple(SourceRecord(role=s.role, path=str(s.path), sha256=s.sha256) for s in section.sources),
        section=group,
        slide=slide,
    )


def _label_source(section: Section) -> str:
    """Return where the labels come from: as kept with the spots, which outlives the file."""
    kept = section.counts.obs.get("label_source")
    if kept is not None and len(kept):
        return str(kept.iloc[0])
    return next((source.path.name for source in section.sources if source.role == "labels"), "")


def _positions(adata: ad.AnnData) -> str:
    digest = hashlib.sha256("\n".join(adata.obs_names).encode())
    places = adata.obs[["x_px", "y_px"]].to_numpy(dtype="<f8").round(3) + 0.0  # no -0.0
    digest.update(np.ascontiguousarray(places).tobytes())
    return digest.hexdigest()


def _enter(
    manifest: Manifest, entry: SectionEntry, *, expected: SectionEntry | None, damaged: Collection[str]
) -> Manifest:
    """Enter a section, with the sound embeddings of the one it supersedes where their geometry is the same."""
    known = manifest.sections.get(entry.id)
    if known and known.identity not in {entry.identity, expected.identity if expected else ""}:
        raise SectionExists(f"another process ingested '{entry.id}' meanwhile", hint="run the command again")
    if known and known.geometry == entry.geometry:
        kept = {key: group for key, group in known.embeddings.items() if group.path not in damaged}
        entry = entry.model_copy(update={"embeddings": kept})
    return manifest.with_entry(entry)
