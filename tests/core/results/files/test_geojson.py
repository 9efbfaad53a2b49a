import json
import math
import tracemalloc
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from spacrd_core.results.files.geojson import write_geojson
from spacrd_core.results.result import SectionResult

Feature = dict[str, Any]
UM_PER_PX, TUMOUR_MM = 0.5, 0.9


def read(path: Path) -> list[Feature]:
    """Read as QuPath does: strict JSON, a FeatureCollection."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    collection = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert collection["type"] == "FeatureCollection"
    return collection["features"]


def of_kind(features: list[Feature], kind: str) -> list[Feature]:
    return [feature for feature in features if feature["properties"]["objectType"] == kind]


@pytest.fixture
def features(make_result: Callable[..., SectionResult], tmp_path: Path) -> list[Feature]:
    write_geojson(make_result(), tmp_path / "s.geojson")
    return read(tmp_path / "s.geojson")


@pytest.mark.parametrize("lattice", ["hex", "square"])
def test_the_region_has_the_area_of_the_tumour_in_full_resolution_px(
    make_result: Callable[..., SectionResult], tmp_path: Path, lattice: str
) -> None:
    write_geojson(make_result(lattice), tmp_path / "s.geojson")
    (region,) = of_kind(read(tmp_path / "s.geojson"), "annotation")
    outline = shapely.geometry.shape(region["geometry"])
    assert outline.area * (UM_PER_PX / 1000) ** 2 == pytest.approx(math.pi * TUMOUR_MM**2, rel=0.05)
    measured = region["properties"]["measurements"]
    assert measured["Area mm2"] == pytest.approx(outline.area * (UM_PER_PX / 1000) ** 2, rel=1e-3)
    assert measured["Area um2"] == pytest.approx(measured["Area mm2"] * 1e6)
    assert measured["SpaCRD threshold"] == 0.43


def test_on_a_coarser_image_positions_are_scaled_and_areas_stay(
    make_result: Callable[..., SectionResult], features: list[Feature], tmp_path: Path
) -> None:
    write_geojson(make_result(image_px_per_full_px=0.25), tmp_path / "coarse.geojson")
    for fine, coarse in zip(features, read(tmp_path / "coarse.geojson"), strict=True):
        assert fine["properties"]["measurements"] == coarse["properties"]["measurements"]
        whole, quarter = (shapely.geometry.shape(feature["geometry"]).bounds for feature in (fine, coarse))
        assert [4 * bound for bound in quarter] == pytest.approx(whole, abs=0.1)


def test_on_a_slide_that_viewers_crop_positions_count_from_the_corner_of_what_they_show(
    make_result: Callable[..., SectionResult], features: list[Feature], tmp_path: Path
) -> None:
    write_geojson(make_result(image_px_per_full_px=0.5, viewer_corner_px=(30.0, 20.0)), tmp_path / "cropped.geojson")
    for whole, cropped in zip(features, read(tmp_path / "cropped.geojson"), strict=True):
        left, top, right, bottom = shapely.geometry.shape(whole["geometry"]).bounds
        expected = (left / 2 - 30, top / 2 - 20, right / 2 - 30, bottom / 2 - 20)
        assert shapely.geometry.shape(cropped["geometry"]).bounds == pytest.approx(expected, abs=0.1)


def test_every_shape_is_a_valid_closed_polygon(features: list[Feature]) -> None:
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    assert all(shape.is_valid and shape.geom_type == "Polygon" and not shape.is_empty for shape in shapes)
    assert all(ring[0] == ring[-1] for feature in features for ring in feature["geometry"]["coordinates"])


def test_every_spot_is_a_detection_with_its_position_and_footprint(
    make_result: Callable[..., SectionResult], features: list[Feature]
) -> None:
    result, spots = make_result(), of_kind(features, "detection")
    assert [spot["properties"]["name"] for spot in spots] == result.spots.index.tolist()
    last = shapely.geometry.shape(spots[-1]["geometry"])
    assert (last.centroid.x, last.centroid.y) == pytest.approx(tuple(result.points[-1]), abs=0.01)
    assert last.bounds[2] - last.bounds[0] == pytest.approx(55 / UM_PER_PX, abs=0.02)


def test_measurements_are_numbers_and_unknown_ones_are_left_out(
    make_result: Callable[..., SectionResult], features: list[Feature]
) -> None:
    first, second = of_kind(features, "detection")[:2]
    assert "SpaCRD out of distribution" not in first["properties"]["measurements"]
    assert second["properties"]["measurements"]["SpaCRD out of distribution"] == 0.7
    assert "SpaCRD image coverage" not in second["properties"]["measurements"]
    expected = make_result().spots["probability"].iloc[1]
    assert second["properties"]["measurements"]["SpaCRD probability"] == pytest.approx(expected)


def test_every_spot_has_its_distance_from_the_border_and_its_band(
    make_result: Callable[..., SectionResult], features: list[Feature]
) -> None:
    margins, spots = make_result().margins, [feature["properties"] for feature in of_kind(features, "detection")]
    distances = [spot["measurements"]["SpaCRD border distance um"] for spot in spots]
    assert distances == pytest.approx(margins.distance_um.tolist())
    assert [spot["metadata"] for spot in spots] == [{"SpaCRD band": band} for band in margins.band]


def test_without_a_border_spots_have_neither_distance_nor_band(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_geojson(make_result(side=4, regions_rule="never"), tmp_path / "s.geojson")
    text = (tmp_path / "s.geojson").read_text()
    assert "SpaCRD probability" in text
    assert "SpaCRD band" not in text
    assert "border distance" not in text


def test_every_object_has_a_class_with_a_colour_because_qupath_fails_without_one(
    features: list[Feature],
) -> None:
    kinds = {feature["properties"]["classification"]["name"] for feature in features}
    assert kinds == {"Cancer", "Normal", "Uncertain"}
    colours = [feature["properties"]["classification"]["color"] for feature in features]
    assert all(len(colour) == 3 and all(0 <= part <= 255 for part in colour) for colour in colours)


def test_ids_are_uuids_that_are_unique_and_repeated_by_a_second_run(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    for name, section in (("a", "S1"), ("b", "S1"), ("c", "S2")):
        write_geojson(make_result(section_id=section), tmp_path / name)
    a, b, c = ([str(uuid.UUID(feature["id"])) for feature in read(tmp_path / name)] for name in "abc")
    assert a == b
    assert len(set(a) | set(c)) == len(a) + len(c)


def test_square_bins_are_squares_of_their_width(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    write_geojson(make_result("square", spot_shape="square", spot_um=100.0), tmp_path / "s.geojson")
    first = of_kind(read(tmp_path / "s.geojson"), "detection")[0]
    assert shapely.geometry.shape(first["geometry"]).area == pytest.approx((100 / UM_PER_PX) ** 2)


@pytest.mark.parametrize(("degrees", "mirrored"), [(30, False), (-100, True)])
def test_squares_of_a_rotated_array_are_rotated_and_touch_their_neighbours(
    make_result: Callable[..., SectionResult], tmp_path: Path, degrees: float, *, mirrored: bool
) -> None:
    turned = {"degrees": degrees, "mirrored": mirrored}
    write_geojson(make_result("square", side=8, spot_shape="square", spot_um=100.0, **turned), tmp_path / "s.geojson")
    features = read(tmp_path / "s.geojson")
    squares = [shapely.geometry.shape(spot["geometry"]) for spot in of_kind(features, "detection")]
    together, pitch = shapely.union_all(squares), 100 / UM_PER_PX
    assert together.area == pytest.approx(64 * pitch**2, rel=0.01)
    one, next_one = (shapely.MultiPoint(square.exterior.coords).buffer(0.02) for square in squares[9:11])
    assert shapely.get_num_geometries(one.intersection(next_one)) == 2  # corners in common
    (region,) = of_kind(features, "annotation")
    beside = shapely.geometry.shape(region["geometry"]).symmetric_difference(together)
    assert beside.area < 0.01 * together.area


def test_every_object_is_one_line(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    write_geojson(make_result(side=8, spots=make_result(side=8).spots[:50]), tmp_path / "s.geojson")
    first, *objects, last = (tmp_path / "s.geojson").read_text(encoding="utf-8").splitlines()
    assert first + last == '{"type":"FeatureCollection","features":[]}'
    assert [json.loads(line.removesuffix(",")) for line in objects] == read(tmp_path / "s.geojson")


def test_objects_are_written_as_they_are_built_and_not_held_in_memory(
    make_result: Callable[..., SectionResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacrd_core.results.files.geojson.CHUNK_SPOTS", 250)
    result = make_result(side=50)
    assert len(result.regions) == 1  # computed before memory is measured
    tracemalloc.start()
    write_geojson(result, tmp_path / "s.geojson")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read(tmp_path / "s.geojson")) == 50**2 + 1
    assert peak < (tmp_path / "s.geojson").stat().st_size


@pytest.mark.parametrize("shape", ["disc", "square"])
def test_the_smallest_spots_stay_valid_at_the_precision_they_are_written_with(
    make_result: Callable[..., SectionResult], tmp_path: Path, shape: str
) -> None:
    small = make_result("square", side=12, degrees=17, um_per_px=4.0, spot_um=2.0, spot_shape=shape)
    write_geojson(small, tmp_path / "s.geojson")
    spots = of_kind(read(tmp_path / "s.geojson"), "detection")
    assert all(shapely.geometry.shape(spot["geometry"]).is_valid for spot in spots)
    assert all(x == round(x, 2) for spot in spots for x, _ in spot["geometry"]["coordinates"][0])


def test_a_section_without_cancer_has_spots_and_no_regions(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_geojson(make_result(threshold=0.99), tmp_path / "s.geojson")
    features = read(tmp_path / "s.geojson")
    assert of_kind(features, "annotation") == []
    assert len(features) == 26 * 26


def test_the_description_of_a_region_has_the_threshold_its_rule_and_the_notes(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_geojson(make_result(notes=("no image was read", "rough calls")), tmp_path / "s.geojson")
    (region,) = of_kind(read(tmp_path / "s.geojson"), "annotation")
    first, *notes = region["properties"]["metadata"]["ANNOTATION_DESCRIPTION"].splitlines()  # QuPath's key
    assert "0.430" in first
    assert "highest accuracy on held-out patients" in first
    assert notes == ["no image was read", "rough calls"]


def test_a_section_unlike_the_training_tissue_has_a_warning_instead_of_regions(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    usual = make_result()
    unfamiliar = make_result(spots=usual.spots.assign(ood=2.0), notes=("99% unlike the training tissue",))
    write_geojson(unfamiliar, tmp_path / "s.geojson")
    features = read(tmp_path / "s.geojson")
    (warning,) = of_kind(features, "annotation")
    properties = warning["properties"]
    assert "no cancer regions" in properties["name"]
    assert properties["metadata"] == {"ANNOTATION_DESCRIPTION": "99% unlike the training tissue"}
    assert properties["isLocked"]
    assert len(properties["classification"]["color"]) == 3
    assert properties["classification"]["name"] not in {"Cancer", "Normal", "Uncertain"}
    frame = shapely.geometry.shape(warning["geometry"])
    assert frame.is_valid
    assert all(frame.contains(shapely.geometry.shape(spot["geometry"])) for spot in of_kind(features, "detection"))


@pytest.mark.parametrize("spots", [0, 1])
def test_a_section_with_no_spot_or_one_can_be_read(
    make_result: Callable[..., SectionResult], tmp_path: Path, spots: int
) -> None:
    few = make_result().spots[:spots]
    for name, ood in (("usual", float("nan")), ("unfamiliar", 2.0)):
        write_geojson(make_result(spots=few.assign(ood=ood)), tmp_path / name)
        features = read(tmp_path / name)
        assert len(of_kind(features, "detection")) == spots
        assert len(of_kind(features, "annotation")) == (spots if name == "unfamiliar" else 0)


def test_ids_with_commas_quotes_and_other_scripts_are_unchanged(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    result = make_result(side=2, section_id='Fall 3, "rechts"')
    odd = ["a,b", 'say "so"', "Übergang 部", "=1+1"]
    result.adata.obs_names = odd
    write_geojson(make_result(adata=result.adata, spots=result.spots.set_axis(odd)), tmp_path / "s.geojson")
    spots = of_kind(read(tmp_path / "s.geojson"), "detection")
    assert [spot["properties"]["name"] for spot in spots] == odd
    assert len({spot["id"] for spot in spots}) == 4
