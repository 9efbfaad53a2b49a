"""Read the annotation XML of ASAP, Aperio ImageScope and HALO, in px of the image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons, box, ellipse, polygonal, repaired, ring
from spacrd_core.labels.safe_xml import EXPORT_HINT, parse_xml
from spacrd_core.labels.tangles import require_untangled
from spacrd_core.labels.vocabulary import is_known
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from spacrd_core.arrays import Array

CLASS_HINT = "name the group or layer of every region after its tissue"
POLYGON, BOX, ELLIPSE = "polygon", "box", "ellipse"
SHAPES = {  # by the type that ASAP, HALO and ImageScope write
    **dict.fromkeys(("polygon", "spline", "freehand", "0"), POLYGON),
    **dict.fromkeys(("rectangle", "1"), BOX),
    **dict.fromkeys(("ellipse", "circle", "2"), ELLIPSE),
}
MIN_CORNERS = {POLYGON: 3, BOX: 2, ELLIPSE: 2}


@dataclass(frozen=True, eq=False)
class Region:
    """A drawn region: the texts that may be its class (best first), its outline, and whether it is cut out."""

    names: tuple[str, ...]
    layer: int
    outline: shapely.Geometry
    is_hole: bool = False


def read_annotation_xml(data: bytes, path: Path) -> Polygons:
    """Return the polygons of an annotation file and their classes.

    The class is the group of an ASAP annotation, the layer of an ImageScope or HALO region, or the region's own text
    where the layers say less. Regions that are cut out (``NegativeROA``) are taken from the regions of their layer.

    Raises
    ------
    LabelError
        If it is other XML, or has no region with a class.
    """
    root = parse_xml(data, path)
    kind = _kind(root, path)
    regions = list((_asap_regions if kind == "ASAP" else _layer_regions)(root, path))
    drawn = [region for region in regions if not region.outline.is_empty]
    holes = [region for region in drawn if region.is_hole]
    solid = [region for region in drawn if not region.is_hole]
    level = _class_level(solid)
    classified = [region for region in solid if _name(region, level)]
    left_out = Counter({"without an area": len(regions) - len(drawn), "without a class": len(solid) - len(classified)})
    summary = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    if not classified:
        raise LabelError(
            f"the label file {path} has no region with a class, but {summary or 'no region'}", hint=CLASS_HINT
        )
    shapes, repair_notes = repaired([region.outline for region in classified], path)
    cut, notes = _cut_out(shapes, [region.layer for region in classified], holes, path)
    names = tuple(_name(region, level) for region in classified)
    left_out_notes = (f"{path.name}: left out: {summary}",) if summary else ()
    return Polygons(
        path, cut, names, (f"{path.name}: read as annotations of {kind}", *left_out_notes, *repair_notes, *notes)
    )


def _kind(root: Element, path: Path) -> str:
    if root.tag == "ASAP_Annotations":
        return "ASAP"
    if root.tag == "Annotations" and root.find("Annotation") is not None:
        return "HALO" if next(root.iter("V"), None) is not None else "ImageScope"
    known = " (NDP.view writes nm from the centre of the slide)" if root.find("ndpviewstate") is not None else ""
    raise LabelError(
        f"the label file {path} is XML <{shortened(root.tag)}>{known}, not annotations of ASAP, ImageScope or HALO",
        hint=EXPORT_HINT,
    )


def _asap_regions(root: Element, path: Path) -> Iterator[Region]:
    for annotation in root.iter("Annotation"):
        corners = sorted(annotation.iter("Coordinate"), key=lambda corner: _number(corner, "Order", path))
        group = annotation.get("PartOfGroup", "").strip()
        names = ("" if group.casefold() == "none" else group, annotation.get("Name", "").strip())
        yield Region(names, 0, _outline(annotation.get("Type", ""), _points(corners, path)))


def _layer_regions(root: Element, path: Path) -> Iterator[Region]:
    for number, layer in enumerate(root.iter("Annotation")):
        attributes = [entry for entry in layer.findall("Attributes/Attribute") if entry.get("Value")]
        layer_names = (layer.get("Name", ""), *(entry.get("Value", "") for entry in attributes[:1]))
        for region in layer.iter("Region"):
            names = (*(*layer_names, "")[:2], region.get("Text", ""))
            corners = [*region.iter("Vertex"), *region.iter("V")]
            outline = _outline(region.get("Type", "0"), _points(corners, path))
            is_hole = region.get("NegativeROA", "0").casefold() in {"1", "true"}
            yield Region(tuple(name.strip() for name in names), number, outline, is_hole)


def _class_level(regions: list[Region]) -> int:
    """Return which of the names are the classes: those with a known word, else those with the most different texts."""
    levels = range(max((len(region.names) for region in regions), default=1))
    texts = [{region.names[level] for region in regions} - {""} for level in levels]
    return max(levels, key=lambda level: (any(map(is_known, texts[level])), len(texts[level]), -level))


def _name(region: Region, level: int) -> str:
    return region.names[level]


def _outline(kind: str, corners: Array) -> shapely.Geometry:
    """Return the outline of a region; empty for points, arrows and rulers."""
    shape = SHAPES.get(kind.strip().casefold())
    if shape is None or len(corners) < MIN_CORNERS[shape]:
        return shapely.Polygon()
    if shape == ELLIPSE:
        return ellipse(corners)
    return box(corners) if shape == BOX and len(corners) == MIN_CORNERS[BOX] else ring(corners)


def _points(corners: list[Element], path: Path) -> Array:
    return np.array([[_number(corner, key, path) for key in "XY"] for corner in corners], dtype=float).reshape(-1, 2)


def _number(corner: Element, key: str, path: Path) -> float:
    text = corner.get(key, "")
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise LabelError(f"the label file {path} has the coordinate {key}='{shortened(text)}'", hint="export it again")
    return number


def _cut_out(shapes: Array, layers: list[int], holes: list[Region], path: Path) -> tuple[Array, tuple[str, ...]]:
    """Return the shapes without the regions that are cut out of their layer."""
    cut = shapes.copy()
    for layer in {hole.layer for hole in holes}:
        same_layer = np.flatnonzero(np.array(layers) == layer)
        outlines, _ = repaired([hole.outline for hole in holes if hole.layer == layer], path)
        require_untangled(np.concatenate([outlines, cut[same_layer]]), path)
        shape, hole = shapely.STRtree(outlines).query(cut[same_layer], predicate="intersects")
        for number in np.unique(shape):
            region = cut[same_layer[number]]
            cut[same_layer[number]] = polygonal(region - shapely.union_all(outlines[hole[shape == number]]))
    note = f"{path.name}: regions that are cut out of the others: {len(holes)}"
    return cut, (note,) if holes else ()
