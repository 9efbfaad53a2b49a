"""Read polygons and their classes from GeoJSON, as QuPath exports annotations."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import shape

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons, polygonal, repaired
from spacrd_core.labels.own_export import MEASUREMENT, SUGGESTION, ExportedSpots
from spacrd_core.opening.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

EXPORT_HINT = "set the class of the annotations in QuPath and export them as GeoJSON"
OWN_EXPORT_HINT = "draw annotations of cancer and of normal tissue; the calls of the spots are SpaCRD's own"
SUGGESTION_HINT = "give the suggested spots a class in QuPath, such as Tumor or Stroma, and export them again"
OLD_ID = re.compile(r"Path(\w+)Object")  # before QuPath 0.3, the id of a feature contained its type
Feature = dict[str, Any]


def read_polygons(text: str, path: Path) -> Polygons:
    """Return the polygons of a GeoJSON text: a collection of features, a list of them, or one.

    Raises
    ------
    LabelError
        If it is not GeoJSON, or has no annotation with a class.
    """
    features = features_of(text, path)
    kinds = [kind_of(feature) for feature in features]
    annotations = [feature for feature, kind in zip(features, kinds, strict=True) if kind == "annotation"]
    spots = exported_spots(features, path)
    key = "classification" if any(_class(feature, "classification") for feature in annotations) else "name"
    with_class = [feature for feature in annotations if _class(feature, key)]
    classified = [feature for feature in with_class if _class(feature, key) != SUGGESTION]
    outlines = [outline_of(feature, path) for feature in classified]
    non_empty = [number for number, outline in enumerate(outlines) if not outline.is_empty]
    left_out = Counter(f"{kind}s" for kind in kinds if kind != "annotation")
    left_out["annotations without a class"] = len(annotations) - len(with_class)
    left_out["suggested spots that nobody classified"] = unanswered = len(with_class) - len(classified)
    left_out["without a polygon"] = len(classified) - len(non_empty)
    summary = ", ".join(f"{count} {kind}" for kind, count in left_out.items() if count)
    if not non_empty:
        raise LabelError(
            f"the label file {path} has no polygon with a class, but {summary or 'no annotation'}",
            hint=SUGGESTION_HINT if unanswered else OWN_EXPORT_HINT if spots else EXPORT_HINT,
        )
    notes = [f"{path.name}: left out: {summary}"] if summary else []
    if left_out["detections"] and spots:
        notes.append(f"{path.name}: the calls of its spots are SpaCRD's own and no labels; its annotations are")
    shapes, repair_notes = repaired([outlines[number] for number in non_empty], path)
    values = tuple(_class(classified[number], key) for number in non_empty)
    return Polygons(path, shapes, values, (*notes, *repair_notes), spots=spots)


def exported_spots(features: list[Feature], path: Path) -> ExportedSpots | None:
    """Return the spots in the file, called or suggested, if SpaCRD made it."""
    spots = {
        str((feature["properties"] or {}).get("name")): feature
        for feature in features
        if MEASUREMENT in _measurements(feature)
    }
    if not spots:
        return None
    outlines = {name: outline_of(feature, path) for name, feature in spots.items()}
    drawn = {name: outline for name, outline in outlines.items() if not outline.is_empty}
    centroids = shapely.centroid(np.array([*drawn.values()], dtype=object))
    return ExportedSpots(tuple(drawn), shapely.get_coordinates(centroids)) if drawn else None


def _measurements(feature: Feature) -> Collection[str]:
    """Return the names of measurements: keys, or before QuPath 0.4 a list of names and values."""
    measurements = (feature.get("properties") or {}).get("measurements") or {}
    if isinstance(measurements, list):
        return [str(entry.get("name")) for entry in measurements if isinstance(entry, dict)]
    return measurements if isinstance(measurements, dict) else ()


def features_of(text: str, path: Path) -> list[Feature]:
    """Return the features of a GeoJSON text, with those nested in others."""
    try:
        document = parse_json(text, parse_constant=lambda _: None)  # NaN is allowed in measurements only
    except ValueError as error:
        raise LabelError(f"the label file {path} is not GeoJSON: {error}", hint=EXPORT_HINT) from error
    if isinstance(document, dict):
        document = document.get("features", [document] if document.get("type") == "Feature" else None)
    if not isinstance(document, list) or not all(_is_feature(feature) for feature in document):
        raise LabelError(f"the label file {path} is JSON, but not a list of GeoJSON features", hint=EXPORT_HINT)
    return list(_with_children(document, path))


def _with_children(features: list[Feature], path: Path) -> Iterator[Feature]:
    """Return features and the objects inside them, which QuPath can nest as ``childObjects``; each id once."""
    stack, seen = features[::-1], set[str]()
    while stack:
        feature = stack.pop()
        if (identity := feature.get("id")) and not OLD_ID.fullmatch(str(identity)):
            if str(identity) in seen:
                continue
            seen.add(str(identity))
        yield feature
        children = feature.get("childObjects") or (feature.get("properties") or {}).get("childObjects") or []
        if isinstance(children, dict):
            children = children.get("features")
        if not isinstance(children, list) or not all(_is_feature(child) for child in children):
            raise LabelError(f"the label file {path} has childObjects that are not features", hint=EXPORT_HINT)
        stack += children[::-1]


def _is_feature(feature: object) -> bool:
    return isinstance(feature, dict) and isinstance(feature.get("properties") or {}, dict)


def kind_of(feature: Feature) -> str:
    """Return the type of a feature in QuPath, such as ``annotation``."""
    properties = feature.get("properties") or {}
    old_id = OLD_ID.fullmatch(str(feature.get("id")))
    kind = properties.get("objectType") or properties.get("object_type") or (old_id[1] if old_id else "annotation")
    return str(kind).casefold()


def _class(feature: Feature, key: str) -> str:
    """Return the class of a feature: a text, or an object with a name or the names of a derived class."""
    value = (feature.get("properties") or {}).get(key)
    if isinstance(value, dict):
        names = value.get("names")
        value = value.get("name") or (": ".join(map(str, names)) if isinstance(names, list) else "")
    return value.strip() if isinstance(value, str) else ""


def outline_of(feature: Feature, path: Path) -> shapely.Geometry:
    """Return the polygons of a feature as one; empty if it has none."""
    try:
        outline = shapely.force_2d(shape(feature["geometry"])) if feature.get("geometry") else shapely.Polygon()
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, shapely.errors.ShapelyError) as error:
        raise LabelError(
            f"the label file {path} has an outline that is not a polygon: {error}", hint="export the annotations again"
        ) from error
    if not np.isfinite(shapely.get_coordinates(outline)).all():
        raise LabelError(
            f"the label file {path} has an outline with coordinates that are not finite numbers",
            hint="export the annotations again",
        )
    return polygonal(outline)
