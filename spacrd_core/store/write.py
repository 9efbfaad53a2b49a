"""Write a section and its slide to a store as immutable groups, and add it to the manifest."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from spacrd_core._version import __version__
from spacrd_core.cards import fingerprint
from spacrd_core.errors import SectionExists
from spacrd_core.files import tree_sha256
from spacrd_core.images.bounds import viewer_bounds
from spacrd_core.images.raster import open_raster
from spacrd_core.progress import Track, silent
from spacrd_core.slide.pyramid import Pyramid, write_pyramid
from spacrd_core.slide.tissue import spots_on_tissue
from spacrd_core.store.claims import remove_if_empty
from spacrd_core.store.elements import write_cells, write_section
from spacrd_core.store.entry import SectionKey, make_entry
from spacrd_core.store.layout import layout_sha256
from spacrd_core.store.manifest import GroupRecord, Manifest, SectionEntry, SlideRecord
from spacrd_core.store.verify import is_sound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from spacrd_core.section.section import Section
    from spacrd_core.store.store import SpotStore

THUMBNAIL_PX = 1000
MIN_TISSUE_FRACTION = 0.9  # high, because a slide of another section has tissue under most spots, too
PYRAMID_VERSION = 2  # increase it when the same slide should give another pyramid


def add_section(
    store: SpotStore,
    section: Section,
    key: SectionKey,
    *,
    checks: Mapping[str, float | None] = MappingProxyType({}),
    slide: SlideRecord | None = None,
    track: Track = silent,
) -> SectionEntry:
    """Add a section, or replace the section of that name, and return its manifest entry.

    Embeddings are kept if neither the slide nor the spot positions have changed. ``checks`` are figures about the
    section that the manifest records; ``slide`` is its slide if another part of its capture area has just written it.
    """
    with store.writing(key.name, key.slide_folder or key.name):
        return _add_section(store, section, key, checks=checks, slide=slide, track=track)


def _add_section(
    store: SpotStore,
    section: Section,
    key: SectionKey,
    *,
    checks: Mapping[str, float | None],
    slide: SlideRecord | None,
    track: Track,
) -> SectionEntry:
    previous = store.entries.get(key.name)
    slide = slide or _write_slide(store, section, key, track)
    pyramid = Pyramid.open(store.inside(*slide.path.split("/"))) if slide else None
    adata = _to_anndata(section, key)
    if slide and pyramid:
        _add_thumbnail(adata, key.name, pyramid, slide.um_per_full_px)
    with staged(store, "sections", key.name) as folder:
        write_section(adata, folder)
        group = store.publish_group(folder, key.identity)
    entry = make_entry(section, key, adata, group, slide)
    entry = entry.model_copy(
        update={"cells": _write_cells(store, section, key), "alignment": _proposed_alignment(store, section)}
    )
    if slide and pyramid:
        on_tissue = _tissue_fraction(section, slide, pyramid)
        checks = {**checks, "on_tissue": on_tissue}
        entry = entry.model_copy(update={"notes": (*entry.notes, *pyramid.notes, *_tissue_notes(on_tissue))})
    entry = entry.model_copy(update={"checks": dict(checks)})
    damaged = {group.path for group in previous.groups if not is_sound(store, group)} if previous else set()
    store.update(lambda manifest: _with_entry(manifest, entry, expected=previous, damaged=damaged))
    current = store.entry(key.name)
    listed = {record.path for record in current.embeddings.values()}
    store.retire(old for old in (previous.embeddings.values() if previous else ()) if old.path not in listed)
    store.begin_grace(old for old in (previous.groups if previous else ()) if old not in current.groups)
    return current


def _write_slide(store: SpotStore, section: Section, key: SectionKey, track: Track) -> SlideRecord | None:
    slide = section.slide
    if slide is None:
        return None
    sha256 = next(source.sha256 for source in section.sources if source.role == "image")
    pyramid_key = fingerprint([PYRAMID_VERSION, sha256, slide.um_per_px, key.mpp])
    bounds = viewer_bounds(slide)
    frame = {
        "um_per_full_px": slide.scale * slide.um_per_px,
        "image_px_per_full_px": 1.0 if slide.preview else slide.scale,
        "file_px_per_full_px": slide.scale,
        "viewer_corner_px": (bounds.left, bounds.top) if bounds else (0.0, 0.0),
    }
    name = key.slide_folder or key.name
    path = f"slides/{name}/{pyramid_key}"
    stored = next((entry.slide for entry in store.entries.values() if entry.slide and entry.slide.path == path), None)
    if stored and is_sound(store, stored):
        return stored.model_copy(update={**frame, "layout": layout_sha256(store.inside(*path.split("/")))})
    with staged(store, "slides", name) as folder, open_raster(slide) as raster:
        write_pyramid(raster, folder, um_per_px=slide.um_per_px, mpp=key.mpp, track=track)
        group = store.publish_group(folder, pyramid_key)
    return SlideRecord(**group.model_dump(), **frame)


def _write_cells(store: SpotStore, section: Section, key: SectionKey) -> GroupRecord | None:
    """Write the spot of each cell, so that a call can be mapped to cells. Bins are too many to be stored."""
    sub_spots = section.sub_spots
    if sub_spots is None or sub_spots.kind != "cell":
        return None
    cell_ids = pd.Index(sub_spots.ids.astype(str), dtype=object, name="cell_id")
    spots = pd.Categorical.from_codes(sub_spots.spots, categories=section.counts.obs_names)
    with staged(store, "cells", key.name) as folder:
        write_cells(pd.Series(spots, index=cell_ids), folder)
        return store.publish_group(folder, key.identity)


def _proposed_alignment(store: SpotStore, section: Section) -> GroupRecord | None:
    """Return the record of an alignment that was proposed while the section was read, and is in the store already."""
    folders = (source.path.parent.resolve() for source in section.sources if source.role == "alignment")
    root = store.path.resolve()  # a store may be reached by several paths
    drafts = [folder for folder in folders if root / "alignments" in folder.parents]
    if not drafts:
        return None
    path, (sha256, layout) = drafts[0].relative_to(root).as_posix(), (tree_sha256(drafts[0]), layout_sha256(drafts[0]))
    return GroupRecord(path=path, sha256=sha256, layout=layout)


@contextmanager
def staged(store: SpotStore, kind: str, name: str) -> Iterator[Path]:
    """Yield a temporary folder to fill and publish; on failure, remove it and its parents if they are empty."""
    folder = store.temporary(kind, name)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        remove_if_empty(store, folder.parent)
        raise


def _tissue_fraction(section: Section, slide: SlideRecord, pyramid: Pyramid) -> float:
    centres_um = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.um_per_full_px
    return float(spots_on_tissue(pyramid, centres_um, spot_um=section.spot_um).mean())


def _tissue_notes(fraction: float) -> Iterator[str]:
    if fraction < MIN_TISSUE_FRACTION:
        yield f"only {fraction:.0%} of the spots are on tissue: do the image and the positions belong together?"


def _to_anndata(section: Section, key: SectionKey) -> ad.AnnData:
    """Return the counts in squidpy's conventions, with the properties of the section."""
    counts = section.counts
    uns = {name: value for name, value in counts.uns.items() if name != "counts_order"}
    adata = ad.AnnData(X=counts.X, obs=counts.obs.copy(), var=counts.var.copy(), uns=uns)  # the matrix is not copied
    adata.obsm["spatial"] = adata.obs[["x_px", "y_px"]].to_numpy()
    diameter = section.spot_um / section.um_per_px
    adata.uns["spatial"] = {key.name: {"images": {}, "scalefactors": {"spot_diameter_fullres": diameter}}}
    adata.uns["spacrd"] = {
        "section": key.name,
        "patient": key.patient,
        "platform": section.platform,
        "um_per_px": section.um_per_px,
        "spot_um": section.spot_um,
        "spot_shape": section.spot_shape,
        "pitch_um": section.pitch_um,
        "version": __version__,
        "in_counts_order": "counts_order" not in counts.uns,
    }
    if "counts_order" in counts.uns:  # labels without spot ids may be added later
        adata.uns["spacrd"]["counts_order"] = counts.uns["counts_order"]
    return adata


def _add_thumbnail(adata: ad.AnnData, name: str, pyramid: Pyramid, um_per_full_px: float) -> None:
    thumbnail, um_per_px = pyramid.thumbnail(THUMBNAIL_PX)
    spatial = adata.uns["spatial"][name]
    spatial["images"]["hires"] = thumbnail
    spatial["scalefactors"]["tissue_hires_scalef"] = um_per_full_px / um_per_px


def _with_entry(
    manifest: Manifest, entry: SectionEntry, *, expected: SectionEntry | None, damaged: Collection[str]
) -> Manifest:
    """Return the manifest with the entry, and with the previous intact embeddings if the geometry is the same."""
    current = manifest.sections.get(entry.id)
    if current and current.identity not in {entry.identity, expected.identity if expected else ""}:
        raise SectionExists(f"another process has ingested '{entry.id}' meanwhile", hint="run the command again")
    if current and current.geometry == entry.geometry:
        intact = {key: group for key, group in current.embeddings.items() if group.path not in damaged}
        entry = entry.model_copy(update={"embeddings": intact})
    return manifest.with_entry(entry)
