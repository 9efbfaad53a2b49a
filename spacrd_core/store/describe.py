"""Describe a section of a store as JSON-able values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.errors import CorruptStore
from spacrd_core.slide.compression import describe_compression
from spacrd_core.store.failures import read_failures
from spacrd_core.store.remove import stored_bytes

if TYPE_CHECKING:
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

PLAIN = (
    *("id", "patient", "platform", "spots", "genes", "um_per_px", "spot_um", "spot_shape", "pitch_um"),
    *("given", "checks", "notes", "sources"),
)


def describe_section(store: SpotStore, section: str) -> dict[str, Any]:
    """Return what a section is: its size, slide, labels, embeddings, calls, notes and source files.

    Raises
    ------
    UnknownSection
        If the store has no such section.
    CorruptStore
        If a group of it is missing or damaged.
    """
    entry = store.entry(section)
    plain = entry.model_dump(mode="json", include=set(PLAIN))
    return {
        **{key: plain[key] for key in PLAIN[:9]},
        "slide": _slide(store, entry),
        "labels": _labels(store, entry),
        "embeddings": [_embedding(store, entry, key) for key in entry.embeddings],
        "calls": [_calls(store, entry, key) for key in entry.predictions],
        **{key: plain[key] for key in PLAIN[9:]},
        "failures": [
            failure.model_dump(include={"step", "error", "hint"})
            for failure in read_failures(store)
            if failure.section == section
        ],
        "bytes": stored_bytes(store, entry),
    }


def _slide(store: SpotStore, entry: SectionEntry) -> dict[str, Any] | None:
    pyramid = store.pyramid(entry.id)
    if pyramid is None or entry.slide is None:
        return None
    finest = pyramid.levels[0]
    image = next((source.path for source in entry.sources if source.role == "image"), "")
    return {
        "image": image,
        "um_per_px": finest.um_per_px,
        "width_px": finest.width,
        "height_px": finest.height,
        "levels": len(pyramid.levels),
        "compression": describe_compression(level.array for level in pyramid.levels),
        "um_per_full_px": entry.slide.um_per_full_px,
    }


def _labels(store: SpotStore, entry: SectionEntry) -> dict[str, Any] | None:
    """Return the number of spots by label and by the text of the label file."""
    if not entry.labelled:
        return None
    spots = store.spots(entry.id)
    columns = [name for name in ("annotation", "label") if name in spots]
    if not columns:
        raise CorruptStore(
            f"section '{entry.id}' of {store.path} is damaged: the manifest lists labels that it lacks",
            hint=f"spacrd store verify {store.path}",
        )
    texts = spots[columns].astype(object).fillna("").value_counts().reset_index(name="spots")
    return {
        "labelled": entry.labelled,
        "cancer": entry.cancer,
        "normal": entry.labelled - entry.cancer,
        "source": entry.label_source,
        "texts": texts.to_dict("records"),
    }


def _embedding(store: SpotStore, entry: SectionEntry, key: str) -> dict[str, Any]:
    record, embedding = entry.embeddings[key], store.embedding(entry.id, key=key)
    latest = [each.recipe for each in entry.embeddings.values() if each.encoder == record.encoder][-1] == key
    return {
        "encoder": record.encoder,
        "plugin": embedding.recipe.plugin,
        "options": dict(embedding.options),
        "dim": embedding.recipe.dim,
        "um_per_px": embedding.recipe.um_per_px,
        "recipe": key,
        "latest": latest,
    }


def _calls(store: SpotStore, entry: SectionEntry, key: str) -> dict[str, Any]:
    """Return the number of spots by call, and the detector's key, head, encoder and training sections."""
    table, detector = store.predictions(entry.id, key)
    labels = table["label"].value_counts().to_dict() if "label" in table else {}
    return {
        "detector": key,
        "head": detector.get("head", ""),
        "encoder": (detector.get("encoder") or {}).get("name", ""),
        "trained_on": [section["id"] for section in detector.get("trained_on", [])],
        "spacrd_version": detector.get("spacrd_version", ""),
        "spots": {str(label): int(count) for label, count in labels.items()},
        "latest": key == next(reversed(entry.predictions)),
    }
