"""SpaCRD's GeoJSON, corrected in QuPath and exported again, labels the spots that its regions hold."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from bundles.labelled import GRID_NAMES, SIDE, Grid, annotation, box, labels

from spacrd_core.errors import LabelError
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.own_export import MEASUREMENT, SUGGESTION
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.results.files.geojson import MEASUREMENT_NAMES
from spacrd_core.section.section import Section

ROW = ["cancer", "cancer", "normal", "normal"]


def exported(scale: float = 1.0, *, old: bool = False) -> list[dict[str, Any]]:
    """Return spots as SpaCRD exports them, called normal, in px of an image at a scale."""
    obs = Grid().section().counts.obs
    value: Any = [{"name": MEASUREMENT, "value": 0.1}] if old else {MEASUREMENT: 0.1}
    features = []
    for name, x, y in zip(obs.index, obs["x_px"] * scale, obs["y_px"] * scale, strict=True):
        outline = shapely.geometry.mapping(shapely.Point(x, y).buffer(60 * scale))["coordinates"]
        features.append(annotation(outline, "Normal", objectType="detection", name=name, measurements=value))
    return features


def regions(scale: float = 1.0) -> list[dict[str, Any]]:
    corners = ((150, 250, 550, 1050), (550, 250, 950, 1050))
    left, right = (box(*(scale * value for value in edges)) for edges in corners)
    return [annotation(left, "Cancer", name="Cancer region 1"), annotation(right, "Normal", name="drawn in QuPath")]


def attach(tmp_path: Path, features: list[dict[str, Any]], section: Section) -> Section:
    path = tmp_path / "A.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return attach_labels(section, read_labels(path), Vocabulary())


def test_the_measurement_is_the_one_that_spacrd_writes() -> None:
    assert MEASUREMENT in MEASUREMENT_NAMES.values()


@pytest.mark.parametrize("version", ["0.3", "0.5"])
@pytest.mark.parametrize(("drawn", "opened"), [(1.0, None), (1.0, 0.8), (0.8, 0.8), (0.3, 0.3), (1.0, 0.3)])
def test_the_spots_show_in_which_px_the_regions_are(
    tmp_path: Path, drawn: float, opened: float | None, version: str
) -> None:
    after = attach(tmp_path, [*regions(drawn), *exported(drawn, old=version == "0.3")], Grid(scale=opened).section())
    assert labels(after) == ROW * SIDE
    assert "A.geojson: left out: 16 detections" in after.notes
    assert "A.geojson: the calls of its spots are SpaCRD's own and no labels; its annotations are" in after.notes


def test_the_calls_of_spots_alone_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has no polygon with a class, but 16 detections") as caught:
        attach(tmp_path, exported(), Grid().section())
    assert "SpaCRD's own" in caught.value.hint


def test_an_export_of_another_section_with_the_same_ids_is_refused(tmp_path: Path) -> None:
    other = Grid().section()
    other.counts.obs[["x_px", "y_px"]] += 90.0
    with pytest.raises(LabelError, match=r"are 0\.6 pitches \(median\) from the spots of this section") as caught:
        attach(tmp_path, [*regions(), *exported()], other)
    assert caught.value.hint


def test_spots_that_the_section_does_not_have_show_nothing(tmp_path: Path) -> None:
    after = attach(tmp_path, [*regions(), *exported()], Grid(GRID_NAMES).section())
    assert labels(after) == ROW * SIDE


def test_the_warning_instead_of_regions_is_no_label(tmp_path: Path) -> None:
    frame = annotation(box(0, 0, 1200, 1200), "No regions drawn")
    after = attach(tmp_path, [frame, *regions()[:1], *exported()], Grid().section())
    assert labels(after) == ["cancer", "cancer", None, None] * SIDE


def test_a_section_of_few_spots_is_read_at_full_resolution(tmp_path: Path) -> None:
    section = Grid().section()
    few = replace(section, counts=section.counts[:2].copy())
    assert labels(attach(tmp_path, [*regions(), *exported()[:2]], few)) == ["cancer"] * 2
    assert np.isfinite(few.counts.obs["x_px"]).all()


def suggested(name: str, x: float, y: float, kind: str = SUGGESTION) -> dict[str, Any]:
    outline = shapely.geometry.mapping(shapely.Point(x, y).buffer(20))["coordinates"]
    return annotation(outline, kind, name=name, measurements={MEASUREMENT: 0.4})


def test_a_suggested_spot_is_a_label_once_it_has_a_class(tmp_path: Path) -> None:
    obs = Grid().section().counts.obs
    spots = [suggested(name, obs["x_px"][name], obs["y_px"][name]) for name in obs.index[:5]]
    for feature, kind in zip(spots, ("Tumor", "Stroma"), strict=False):
        feature["properties"]["classification"] = {"name": kind}
    after = attach(tmp_path, spots, Grid().section())
    assert labels(after) == ["cancer", "normal", *[None] * 14]
    assert "A.geojson: left out: 3 suggested spots that nobody classified" in after.notes


def test_suggested_spots_without_any_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="but 1 suggested spots that nobody classified") as caught:
        attach(tmp_path, [suggested("A", 0, 0)], Grid().section())
    assert "Tumor or Stroma" in caught.value.hint


def test_an_unanswered_spot_inside_a_drawn_region_has_the_label_of_the_region(tmp_path: Path) -> None:
    obs = Grid().section().counts.obs
    spots = [suggested(name, obs["x_px"][name], obs["y_px"][name]) for name in obs.index[:3]]
    assert labels(attach(tmp_path, [*regions(), *spots], Grid().section())) == ROW * SIDE


@pytest.mark.parametrize("count", [1, 2])
def test_one_suggested_spot_shows_in_which_px_it_is(tmp_path: Path, count: int) -> None:
    section = Grid(scale=0.5).section()
    obs = section.counts.obs
    spots = [suggested(name, obs["x_px"][name] / 2, obs["y_px"][name] / 2, "Tumor") for name in obs.index[-count:]]
    assert labels(attach(tmp_path, spots, section))[-count:] == ["cancer"] * count


@pytest.mark.parametrize("geometry", [None, {"type": "Polygon", "coordinates": []}])
def test_a_spot_whose_outline_is_gone_is_passed_over(tmp_path: Path, geometry: Any) -> None:
    spots = exported()
    spots[0]["geometry"] = geometry
    after = attach(tmp_path, [*regions(), *spots], Grid().section())
    assert labels(after) == ROW * SIDE
