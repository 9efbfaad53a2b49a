import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import shapely
from bundles.labelled import annotation, box, collection

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.qupath import EXPORT_HINT
from spacrd_core.labels.tables import read_labels

SQUARE = box(0, 0, 10, 10)


def read(tmp_path: Path, text: str) -> Polygons:
    path = tmp_path / "regions.geojson"
    path.write_text(text, encoding="utf-8")
    polygons = read_labels(path)
    assert isinstance(polygons, Polygons)
    return polygons


def without_a_type(rings: list[Any], properties: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": properties, **more}


@pytest.mark.parametrize(
    "text",
    [
        collection(annotation(SQUARE)),
        json.dumps([annotation(SQUARE)]),
        json.dumps(annotation(SQUARE)),
        "\ufeff\n" + json.dumps([annotation(SQUARE)], indent=2),
        json.dumps([without_a_type(SQUARE, {"classification": {"name": "Tumor", "colorRGB": -1}})]),
        json.dumps([without_a_type(SQUARE, {"classification": " Tumor "}, id="PathAnnotationObject")]),
        json.dumps([without_a_type(SQUARE, {"object_type": "annotation", "name": "Tumor"})]),
        json.dumps([annotation([[[x, y, 0.0] for x, y in SQUARE[0]]])]),
    ],
)
def test_a_classified_annotation_is_read_from_every_kind_of_export(tmp_path: Path, text: str) -> None:
    polygons = read(tmp_path, text)
    assert polygons.values == ("Tumor",)
    assert polygons.shapes[0].equals(shapely.box(0, 0, 10, 10))
    assert polygons.notes == ()


def test_a_gzipped_export_and_one_named_json_are_read(tmp_path: Path) -> None:
    for name in ("regions.geojson.gz", "regions.json"):
        text = collection(annotation(SQUARE)).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        assert isinstance(read_labels(tmp_path / name), Polygons)


def test_holes_multipolygons_and_collections_of_shapes_keep_their_area(tmp_path: Path) -> None:
    ring = [*SQUARE, *box(4, 4, 6, 6)]
    several = annotation([]) | {"geometry": {"type": "MultiPolygon", "coordinates": [ring, box(20, 0, 22, 2)]}}
    line = {"type": "LineString", "coordinates": [[0, 0], [9, 9]]}
    mixed = annotation([]) | {
        "geometry": {"type": "GeometryCollection", "geometries": [line, {"type": "Polygon", "coordinates": ring}]}
    }
    polygons = read(tmp_path, collection(annotation(ring), several, mixed))
    assert [shape.area for shape in polygons.shapes] == [96.0, 100.0, 96.0]


def test_the_names_of_a_derived_class_are_joined_as_qupath_shows_them(tmp_path: Path) -> None:
    derived = annotation(SQUARE, classification={"names": ["Tumor", "Positive"]})
    assert read(tmp_path, collection(derived)).values == ("Tumor: Positive",)


def test_names_of_annotations_are_classes_only_if_no_annotation_has_a_class(tmp_path: Path) -> None:
    named = annotation(SQUARE, classification=None, name="ROI 1")
    polygons = read(tmp_path, collection(annotation(SQUARE, name="ROI 2"), named))
    assert polygons.values == ("Tumor",)
    assert polygons.notes == ("regions.geojson: left out: 1 annotations without a class",)
    assert read(tmp_path, collection(named)).values == ("ROI 1",)


def test_other_objects_and_shapes_are_left_out_with_a_note(tmp_path: Path) -> None:
    cells = [annotation(SQUARE, objectType="detection")] * 3
    tile = without_a_type(SQUARE, {"classification": {"name": "Tumor"}}, id="PathTileObject")
    point = annotation([]) | {"geometry": {"type": "Point", "coordinates": [1, 2]}}
    nothing = annotation([]) | {"geometry": None}
    polygons = read(tmp_path, collection(annotation(SQUARE), *cells, tile, point, nothing))
    assert len(polygons.shapes) == 1
    assert polygons.notes == ("regions.geojson: left out: 3 detections, 1 tiles, 2 without a polygon",)


def test_a_polygon_that_crosses_itself_is_repaired_with_a_note(tmp_path: Path) -> None:
    bow_tie: list[list[list[float]]] = [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]
    spike: list[list[list[float]]] = [[[0, 0], [10, 0], [10, 10], [5, 10], [5, 20], [5, 10], [0, 10], [0, 0]]]
    polygons = read(tmp_path, collection(annotation(bow_tie), annotation(spike), annotation(SQUARE)))
    assert [shape.area for shape in polygons.shapes] == [50.0, 100.0, 100.0]
    assert shapely.is_valid(polygons.shapes).all()
    assert polygons.notes == ("regions.geojson: self-intersecting polygons, repaired: 2",)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('{"type": "FeatureCollection"', "is not GeoJSON: Expecting ',' delimiter"),
        ('{"tissue_hires_scalef": 0.1}', "is JSON, but not a list of GeoJSON features"),
        ("[1, 2]", "is JSON, but not a list of GeoJSON features"),
        ('[{"properties": []}, {"properties": "x"}]', "is JSON, but not a list of GeoJSON features"),
        ("[]", "has no polygon with a class, but no annotation"),
        (
            collection(annotation(SQUARE, classification=None), annotation(SQUARE, objectType="detection")),
            "has no polygon with a class, but 1 detections, 1 annotations without a class",
        ),
    ],
)
def test_a_file_without_classified_polygons_is_refused_with_its_contents(
    tmp_path: Path, text: str, phrase: str
) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, text)
    assert f"{tmp_path / 'regions.geojson'} {phrase}" in str(caught.value)
    assert caught.value.hint == EXPORT_HINT


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [["a", "b"]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, float("nan")], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 10**400], [1, 1], [0, 0]]]},
        {"type": "Polygon"},
        {"type": "Circle", "coordinates": [0, 0]},
        "a circle",
    ],
)
def test_an_outline_that_is_no_polygon_is_refused(tmp_path: Path, geometry: object) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, collection(annotation([]) | {"geometry": geometry}))
    file = tmp_path / "regions.geojson"
    assert f"{file} has an outline that is not a polygon: " in str(caught.value)
    assert "export the annotations again" in caught.value.hint


def test_infinite_coordinates_are_refused_but_measurements_may_be_nan(tmp_path: Path) -> None:
    text = collection(annotation(box(0, 0, 12345, 10), measurements={"Area": float("nan")}))
    assert read(tmp_path, text).shapes[0].area == 123450.0
    with pytest.raises(LabelError) as caught:
        read(tmp_path, text.replace("12345", "1e999"))
    file = tmp_path / "regions.geojson"
    assert f"{file} has an outline with coordinates that are not finite numbers" in str(caught.value)


def test_endless_brackets_are_not_geojson(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="is not GeoJSON"):
        read(tmp_path, "[" * 200_000)


@pytest.mark.parametrize("place", ["feature", "properties", "collection"])
def test_objects_inside_others_are_read_once(tmp_path: Path, place: str) -> None:
    inner = annotation(box(2, 2, 4, 4), "Stroma") | {"id": "inner"}
    cell = annotation(SQUARE, objectType="detection")
    children: Any = [inner, cell]
    outer = annotation(SQUARE, **({"childObjects": children} if place == "properties" else {})) | {"id": "outer"}
    if place != "properties":
        outer["childObjects"] = (
            {"type": "FeatureCollection", "features": children} if place == "collection" else children
        )
    polygons = read(tmp_path, collection(outer, inner))
    assert polygons.values == ("Tumor", "Stroma")
    assert polygons.notes == ("regions.geojson: left out: 1 detections",)


def test_children_that_are_no_features_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has childObjects that are not features"):
        read(tmp_path, collection(annotation(SQUARE, childObjects=[1])))
