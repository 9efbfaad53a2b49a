"""Regions and spots for QuPath, in px of the image that the user opens in QuPath."""

from __future__ import annotations

import json
import math
import uuid
from typing import TYPE_CHECKING, Any

import shapely

from spacrd_core.results.result import LABEL_STYLES, LabelStyle
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

PRECISION_PX = 0.01  # coordinates are rounded to this; polygons stay valid
CHUNK_SPOTS = 4096  # spot outlines held in memory at a time
MEASUREMENT_NAMES = {
    "probability": "SpaCRD probability",
    "spread": "SpaCRD spread",
    "ood": "SpaCRD out of distribution",
    "gene_coverage": "SpaCRD gene coverage",
    "image_coverage": "SpaCRD image coverage",
    "border_distance_um": "SpaCRD border distance um",
}
BAND_KEY = "SpaCRD band"  # QuPath shows metadata as a text column of its measurement tables

DESCRIPTION_KEY = "ANNOTATION_DESCRIPTION"  # QuPath shows this metadata as the description of an annotation
NO_REGIONS = LabelStyle("No regions drawn", (128, 128, 128))

GEOJSON_START = b'{"type":"FeatureCollection","features":[\n'  # QuPath writes other spaces

Feature = dict[str, Any]


def write_geojson(result: SectionResult, path: Path) -> None:
    """Write cancer regions as annotations with their area, and spots as detections with their measurements.

    For a section unlike the training tissue, a locked annotation with a warning replaces the regions. The notes are in
    the description of every annotation. Object ids depend only on the section and the object's name, so they stay the
    same in later runs. Objects are written one per line as they are built: a section may have 100,000 spots.
    """
    write_features(_features(result), path)


def write_features(features: Iterable[Feature], path: Path) -> None:
    """Write a FeatureCollection with an object a line, as they come."""
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for number, feature in enumerate(features):
            file.write(",\n" if number else "\n")
            file.write(encode(feature))
        file.write("\n]}\n")


def _features(result: SectionResult) -> Iterator[Feature]:
    if not result.has_regions:
        yield _no_regions_warning(result)
    else:
        yield from _regions(result)
    yield from _spots(result)


def _no_regions_warning(result: SectionResult) -> Feature:
    """Return an annotation around all spots that explains why no regions are drawn."""
    frame = shapely.box(*shapely.total_bounds(result.tessellation.polygons))
    reason = result.no_regions_reason
    name = f"{reason[0].upper()}{reason[1:]}: no cancer regions drawn"
    feature = feature_of(result, "annotation", name, NO_REGIONS, to_image_px(result, frame), {})
    feature["properties"] |= {"isLocked": True, "metadata": {DESCRIPTION_KEY: "\n".join(result.notes)}}
    return feature


def _regions(result: SectionResult) -> Iterator[Feature]:
    rule = f", {result.threshold_rule}" if result.threshold_rule else ""
    description = "\n".join(
        [f"Touching spots with a probability of {result.threshold:.3f} or more{rule}.", *result.notes]
    )
    for number, region in enumerate(result.regions, start=1):
        mm2 = result.region_mm2(region)
        measurements = {
            "Area mm2": mm2,
            "Area um2": mm2 * 1e6,
            "Spots": len(region.spots),
            "SpaCRD mean probability": float(result.probability[region.spots].mean()),
            "SpaCRD threshold": result.threshold,
        }
        name = f"Cancer region {number}"
        outline = to_image_px(result, region.outline)
        feature = feature_of(result, "annotation", name, LABEL_STYLES["cancer"], outline, measurements)
        feature["properties"]["metadata"] = {DESCRIPTION_KEY: description}
        yield feature


def _spots(result: SectionResult) -> Iterator[Feature]:
    table = result.spots.assign(border_distance_um=result.margins.distance_um, band=result.margins.band)
    for first in range(0, len(table), CHUNK_SPOTS):
        spots, points = table.iloc[first:][:CHUNK_SPOTS], result.points[first:][:CHUNK_SPOTS]
        shapes = footprints(points, result.spot_px, result.spot_shape, angle=result.angle)
        shapes = to_image_px(result, shapes, mode="pointwise")  # convex and wide: rounding keeps them valid
        measurements = spots[list(MEASUREMENT_NAMES)].astype(float).rename(columns=MEASUREMENT_NAMES).to_dict("records")
        columns = spots.index, spots["label"], spots["band"], shapes, measurements
        for spot, label, band, shape, values in zip(*columns, strict=True):
            feature = feature_of(result, "detection", str(spot), LABEL_STYLES[label], shape, values)
            if isinstance(band, str):
                feature["properties"]["metadata"] = {BAND_KEY: band}
            yield feature


def to_image_px(result: SectionResult, shapes: Any, *, mode: str = "valid_output") -> Any:
    """Return shapes in rounded px of the user's image as viewers show it: it may be coarser, and cropped."""
    scale, corner = result.image_px_per_full_px, result.viewer_corner_px
    is_same = scale == 1 and not any(corner)
    moved = shapes if is_same else shapely.transform(shapes, lambda points: points * scale - corner)
    return shapely.set_precision(moved, PRECISION_PX, mode=mode)


def feature_of(
    result: SectionResult,
    kind: str,
    name: str,
    style: LabelStyle,
    shape: shapely.Geometry,
    measurements: dict[Any, Any],
) -> Feature:
    """Return an object of QuPath; its id depends only on the section, the kind and the name."""
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"spacrd:{result.section_id}:{kind}:{name}")),
        "geometry": shapely.geometry.mapping(shape),
        "properties": {
            "objectType": kind,
            "name": name,
            "classification": {"name": style.name, "color": list(style.colour)},
            "measurements": {key: value for key, value in measurements.items() if math.isfinite(value)},
        },
    }
