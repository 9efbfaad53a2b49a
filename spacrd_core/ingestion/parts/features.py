"""Read named regions and their patients from GeoJSON, as QuPath exports annotations and tissue microarrays."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons, repaired
from spacrd_core.labels.qupath import exported_spots, features_of, kind_of, outline_of

if TYPE_CHECKING:
    from pathlib import Path

CORE = "tma_core"
NAME_KEYS = ("region", "name", "classification")
PATIENT_KEYS = ("patient", "case id")  # the second is QuPath's for the cores of a tissue microarray
NAME_HINT = "name the annotations in QuPath and export them as GeoJSON"


def read_features(text: str, path: Path) -> tuple[Polygons, list[tuple[str, str]]]:
    """Return the named outlines, and pairs of a region and its patient ('' if it has none).

    The name is the property ``region``, ``name`` or ``classification``, the first that any outline has. Where there are
    cores of a tissue microarray, other annotations are drawn inside them and are not regions.

    Raises
    ------
    LabelError
        If it is not GeoJSON, or has no named outline.
    """
    features = features_of(text, path)
    kinds = [kind_of(feature) for feature in features]
    wanted = CORE if CORE in kinds else "annotation"
    drawn = [feature for feature, kind in zip(features, kinds, strict=True) if kind == wanted]
    present = [feature for feature in drawn if not _is_missing(feature)]
    key = next((key for key in NAME_KEYS if any(_text(feature, key) for feature in present)), "name")
    named = [feature for feature in present if _text(feature, key)]
    outlines = [(feature, outline) for feature in named if not (outline := outline_of(feature, path)).is_empty]
    left_out = Counter(f"{kind}s" for kind in kinds if kind != wanted)
    left_out["missing cores"] = len(drawn) - len(present)
    left_out["without a name"] = len(present) - len(named)
    left_out["without a polygon"] = len(named) - len(outlines)
    summary = ", ".join(f"{count} {kind}" for kind, count in left_out.items() if count)
    if not outlines:
        raise LabelError(f"{path} has no named region, but {summary or 'no annotation'}", hint=NAME_HINT)
    shapes, repair_notes = repaired([outline for _, outline in outlines], path)
    names = tuple(_text(feature, key) for feature, _ in outlines)
    notes = (f"{path.name}: left out: {summary}",) if summary else ()
    spots = exported_spots(features, path)
    pairs = [(name, _patient(feature)) for name, (feature, _) in zip(names, outlines, strict=True)]
    return Polygons(path, shapes, names, (*notes, *repair_notes), spots=spots), pairs


def _text(feature: dict[str, Any], key: str) -> str:
    return _as_text((feature.get("properties") or {}).get(key))


def _as_text(value: object) -> str:
    if isinstance(value, dict):  # a class in QuPath
        value = value.get("name")
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _patient(feature: dict[str, Any]) -> str:
    """Return the patient in the properties of a feature, or in the metadata that QuPath puts there."""
    properties = feature.get("properties") or {}
    metadata = properties.get("metadata")
    values = {**(metadata if isinstance(metadata, dict) else {}), **properties}
    by_key = {str(key).strip().casefold(): _as_text(value) for key, value in values.items()}
    return next((by_key[key] for key in PATIENT_KEYS if by_key.get(key)), "")


def _is_missing(feature: dict[str, Any]) -> bool:
    """Return whether a core was lost from the slide."""
    properties = feature.get("properties") or {}
    return properties.get("isMissing") is True or properties.get("missing") is True
