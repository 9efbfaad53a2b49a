"""Regions and spots for QuPath, in px of the image that the user opens there."""

from __future__ import annotations

import json
import math
import uuid
from typing import TYPE_CHECKING, Any

import shapely

from spacrd_core.results.result import CLASSES, Class
from spacrd_core.results.warnings import wholly_strange
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

GRID_PX = 0.01  # coordinates are rounded to this, and the polygons kept valid
TOGETHER = 4096  # spots whose shapes are made at a time
MEASURED = {
    "probability": "SpaCRD probability",
    "spread": "SpaCRD spread",
    "ood": "SpaCRD out of distribution",
    "gene_coverage": "SpaCRD gene coverage",
    "image_coverage": "SpaCRD image coverage",
}

DESCRIPTION = "ANNOTATION_DESCRIPTION"  # the metadata that QuPath shows as an annotation's description
NO_REGIONS = Class("No regions drawn", (128, 128, 128))

Feature = dict[str, Any]


def write_geojson(result: SectionResult, path: Path) -> None:
    """Write cancer regions as annotations with their area, and spots as detections with their measurements.

    A section unlike the training tissue has a locked annotation instead of regions, which says so. Notes are in the
    description of every annotation. An object's id depends on the section and its name only, so that a second import
    meets the same objects. An object is a line, made and written one after the other: a section may have 100,000 spots.
    """
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for number, feature in enumerate(_features(result)):
            file.write(",\n" if number else "\n")
            file.write(encode(feature))
        file.write("\n]}\n")


def _features(result: SectionResult) -> Iterator[Feature]:
    if wholly_strange(result.spots):
        yield _caution(result)
    else:
        yield from _regions(result)
    yield from _spots(result)


def _caution(result: SectionResult) -> Feature:
    """Return a frame round all spots, whose name says what a reader is to know first."""
    frame = shapely.box(*shapely.total_bounds(result.cells.polygons))
    name = "Unlike the training tissue: no cancer regions drawn"
    feature = _feature(result, "annotation", name, NO_REGIONS, _placed(result, frame), {})
    feature["properties"] |= {"isLocked": True, "metadata": {DESCRIPTION: "\n".join(result.notes)}}
    return feature


def _regions(result: SectionResult) -> Iterator[Feature]:
    rule = f", {result.threshold_rule}" if result.threshold_rule else ""
    description = "\n".join([f"Touching spots of probability {result.threshold:.3f} and above{rule}.", *result.notes])
    for number, region in enumerate(result.regions, start=1):
        mm2 = result.mm2(region.outline.area)
        measurements = {
            "Area mm2": mm2,
            "Area um2": mm2 * 1e6,
            "Spots": len(region.spots),
            "SpaCRD mean probability": float(result.probability[region.spots].mean()),
            "SpaCRD threshold": result.threshold,
        }
        name = f"Cancer region {number}"
        outline = _placed(result, region.outline)
        feature = _feature(result, "annotation", name, CLASSES["cancer"], outline, measurements)
        feature["properties"]["metadata"] = {DESCRIPTION: description}
        yield feature


def _spots(result: SectionResult) -> Iterator[Feature]:
    for first in range(0, len(result.spots), TOGETHER):
        spots, points = result.spots.iloc[first:][:TOGETHER], result.points[first:][:TOGETHER]
        shapes = footprints(points, result.spot_px, result.spot_shape, angle=result.angle)
        shapes = _placed(result, shapes, mode="pointwise")  # convex, and far wider than the grid
        measured = spots[list(MEASURED)].astype(float).rename(columns=MEASURED).to_dict("records")
        for spot, label, shape, values in zip(spots.index, spots["label"], shapes, measured, strict=True):
            yield _feature(result, "detection", str(spot), CLASSES[label], shape, values)


def _placed(result: SectionResult, shapes: Any, *, mode: str = "valid_output") -> Any:
    """Return shapes in px of the image that the user opens, rounded; it may be coarser than the spots' frame."""
    scale = result.image_px_per_full_px
    placed = shapes if scale == 1 else shapely.transform(shapes, lambda places: places * scale)
    return shapely.set_precision(placed, GRID_PX, mode=mode)


def _feature(
    result: SectionResult,
    kind: str,
    name: str,
    called: Class,
    shape: shapely.Geometry,
    measurements: dict[Any, Any],
) -> Feature:
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"spacrd:{result.section_id}:{kind}:{name}")),
        "geometry": shapely.geometry.mapping(shape),
        "properties": {
            "objectType": kind,
            "name": name,
            "classification": {"name": called.name, "color": list(called.colour)},
            "measurements": {key: value for key, value in measurements.items() if math.isfinite(value)},
        },
    }
