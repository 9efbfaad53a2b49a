"""Segmented cells of Space Ranger 4, each in the square of its centroid."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.tissue import Pose
from bundles.visium_hd import HdRun

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium_hd import polygons
from spacrd_readers.visium_hd.polygons import read_centroids
from spacrd_readers.visium_hd.reader import VisiumHd

RUN = HdRun(cells=True, pose=Pose(um_per_px=0.9, degrees=12.0, mirrored=True))
SCALES = "segmented_outputs/spatial/scalefactors_json.json"
OUTLINES = "segmented_outputs/cell_segmentations.geojson"


def read(path: Path, *, spot_um: int = 56, **inputs: Any) -> Section:
    return VisiumHd(VisiumHd.Options(unit="cell", spot_um=spot_um)).read(path, ImageInputs(**inputs))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return RUN.write(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return shutil.copytree(written, tmp_path / "run")


def squares(run: HdRun, spot_um: float) -> list[str]:
    """Return the square of every cell, from its position on the image."""
    um = run.pose.to_px(run.tissue, run.cells_um) * run.pose.um_per_px
    return [f"x{int(x // spot_um):05d}_y{int(y // spot_um):05d}" for x, y in um]


@pytest.mark.parametrize("spot_um", [56, 100])
def test_cells_are_summed_by_their_centroids(written: Path, spot_um: int) -> None:
    section = read(written, spot_um=spot_um)
    expected: dict[str, Any] = {}
    for name, counts in zip(squares(RUN, spot_um), RUN.cell_counts, strict=True):
        expected[name] = expected.get(name, 0) + counts
    obs = section.counts.obs
    assert sorted(obs.index) == sorted(expected)
    np.testing.assert_array_equal(section.counts.X.toarray(), [expected[name] for name in obs.index])
    assert obs["n_cells"].sum() == len(RUN.cells_um)
    assert (section.platform, section.spot_shape, section.spot_um, section.pitch_um) == (
        "visium_hd",
        "square",
        spot_um,
        spot_um,
    )
    np.testing.assert_allclose(obs[["x_px", "y_px"]] * 0.9, obs[["x_um", "y_um"]])
    assert [source.role for source in section.sources] == [
        *("counts", "cells", "scalefactors", "scalefactors", "image"),
    ]


def test_the_cells_of_every_spot_are_known(written: Path) -> None:
    section, names = read(written), squares(RUN, 56)
    sub_spots = section.sub_spots
    assert sub_spots
    assert (sub_spots.kind, len(sub_spots.ids)) == ("cell", len(names))
    for name, spot in zip(sub_spots.ids, sub_spots.spots, strict=True):
        assert section.counts.obs_names[spot] == names[int(name[7:16]) - 1]


def test_the_folder_of_cells_is_enough(run: Path) -> None:
    shutil.rmtree(run / "binned_outputs")
    assert read(run).counts.obs.equals(read(run / "segmented_outputs").counts.obs)


def test_um_per_px_is_taken_from_the_bins_where_the_cells_do_not_state_it(run: Path) -> None:
    (run / SCALES).unlink()
    assert read(run, with_image=False).um_per_px == 0.9


def test_um_per_px_that_nothing_states_must_be_given(run: Path) -> None:
    shutil.rmtree(run / "binned_outputs")
    (run / SCALES).write_text(json.dumps({"tissue_hires_scalef": 0.25}))
    with pytest.raises(GeometryError) as caught:
        read(run)
    assert f"um/px is unknown: {run / SCALES} has no microns_per_pixel" in str(caught.value)
    assert "--um-per-px X" in caught.value.hint
    assert read(run, um_per_px=0.9).um_per_px == 0.9
    (run / SCALES).unlink()
    with pytest.raises(GeometryError, match="um/px is unknown: there are no scale factors"):
        read(run)


def test_a_cell_without_an_outline_is_left_out_and_reported(run: Path) -> None:
    document = json.loads((run / OUTLINES).read_text())
    document["features"] = document["features"][5:]
    (run / OUTLINES).write_text(json.dumps(document))
    section = read(run)
    assert section.notes[0] == "cells of filtered_feature_cell_matrix.h5 without an outline, left out: 5"
    assert section.counts.obs["n_cells"].sum() == len(RUN.cells_um) - 5
    assert section.sub_spots
    assert (section.sub_spots.spots < 0).sum() == 5


@pytest.mark.parametrize("piece", [60, 333, 4096])
def test_outlines_are_read_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(polygons, "CHUNK_CHARS", piece)
    monkeypatch.setattr(polygons, "POLYGONS_PER_BATCH", 3)
    path = tmp_path / "cells.geojson"
    path.write_text(collection(*(feature(number, square(number, 2.0)) for number in range(10)), indent=1))
    ids, middles = read_centroids(path)
    assert ids.tolist() == list(range(10))
    np.testing.assert_allclose(middles, [[number + 1.0, 1.0] for number in range(10)])


def test_a_multipolygon_has_the_centroid_of_its_largest_polygon_and_a_line_its_midpoint(tmp_path: Path) -> None:
    path = tmp_path / "cells.geojson"
    pieces = [[[[90, 90], [91, 90], [90, 91], [90, 90]]], [square(4.0, 2.0)]]
    line = feature(2, [[1.0, 1.0], [3.0, 1.0]])
    several = {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": pieces}}
    path.write_text(collection({**several, "properties": {"cell_id": 1}}, line))
    np.testing.assert_allclose(read_centroids(path)[1], [[5.0, 1.0], [2.0, 1.0]])


def test_a_hole_does_not_move_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "cells.geojson"
    path.write_text(collection(feature(1, square(0.0, 4.0), square(0.0, 1.0))))
    np.testing.assert_allclose(read_centroids(path)[1], [[2.0, 2.0]])


WRONG = {
    '{"a": 1}': "it has no list of features",
    '{"features": [': "it is truncated or damaged",
    '{"features": [{"properties": {"cell_id": 1}, ': "it is truncated or damaged",
    '{"features": [{"type": "Feature"}]}': "its feature 1 is not a polygon",
    '{"features": [{"properties": {"cell_id": 1}, "geometry": {"type": "Point", "coordinates": [1, 1]}}]}': (
        "its feature 1 is not a polygon"
    ),
    '{"features": [{"properties": {"cell_id": null}}]}': "its feature 1 is not a polygon",
    "\x00": "it has no list of features",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_are_not_outlines_is_named(run: Path, text: str) -> None:
    path = run / OUTLINES
    path.write_text(text)
    with pytest.raises(GeometryError) as caught:
        read(run)
    assert f"{path} is not a GeoJSON of cells: {WRONG[text]}" in str(caught.value)
    assert "cell_segmentations.geojson" in caught.value.hint


def square(left: float, side: float) -> list[list[float]]:
    return [[left, 0.0], [left + side, 0.0], [left + side, side], [left, side], [left, 0.0]]


def feature(number: int, *rings: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": list(rings)}
    return {"type": "Feature", "geometry": geometry, "properties": {"cell_id": number}}


def collection(*features: Any, indent: int | None = None) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, indent=indent)
