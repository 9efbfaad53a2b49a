"""Regions for tissue of known shape on the lattice of every platform, as QuPath reads them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from scipy import sparse
from shapely import affinity

from spacrd_core.results.files.geojson import write_geojson
from spacrd_core.results.result import SectionResult

ROUND = shapely.Point(0, 0).buffer(1, quad_segs=64)
SHAPES = {  # outline, number of regions, number of holes
    "disc": (ROUND, 1, 0),
    "ring": (ROUND - affinity.scale(ROUND, 0.5, 0.5), 1, 1),
    "lobes": (shapely.MultiPolygon([affinity.translate(ROUND, -1.3), affinity.translate(ROUND, 1.3)]), 2, 0),
    "L": (shapely.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)]), 1, 0),
}
CELL_AREA = {"hex": np.sqrt(3) / 2, "square": 1.0}  # in squared pitches


@dataclass(frozen=True)
class Platform:
    """A lattice and its position on the image."""

    lattice: str
    pitch_um: float
    spot_um: float
    spot_shape: str
    um_per_px: float
    degrees: float = 0.0
    mirrored: bool = False


PLATFORMS = {
    "visium": Platform("hex", 100, 55, "disc", 0.35),
    "visium turned": Platform("hex", 100, 55, "disc", 0.25, degrees=31),
    "st": Platform("square", 200, 100, "disc", 0.69, degrees=0.9),
    "st mirrored": Platform("square", 200, 100, "disc", 3.2, degrees=-100, mirrored=True),
    "visium_hd": Platform("square", 56, 56, "square", 0.27, degrees=45),
    "xenium": Platform("square", 100, 100, "square", 1.8),
}


def lattice_positions(platform: Platform, side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the columns and rows of the array, and the positions of its spots in full-resolution px."""
    column, row = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(side), np.arange(side)))
    hexagonal = platform.lattice == "hex"
    array = np.column_stack([2 * column + row % 2 if hexagonal else column, row])
    um = array * platform.pitch_um * ([0.5, np.sqrt(3) / 2] if hexagonal else [1, 1])
    turn = np.radians(platform.degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    px = (um * [-1 if platform.mirrored else 1, 1]) @ matrix / platform.um_per_px
    return array, px - px.min(axis=0) + 1000


def tumour(shape: shapely.Geometry, platform: Platform, spots: float, seed: int) -> shapely.Geometry:
    """Return a shape in px with the area of this number of spots, rotated randomly about (0, 0)."""
    random = np.random.default_rng(seed)
    size = np.sqrt(spots * CELL_AREA[platform.lattice] / shape.area) * platform.pitch_um / platform.um_per_px
    grown = affinity.scale(shape, size, size, origin=(0, 0))
    return affinity.rotate(grown, random.uniform(0, 360), origin=(0, 0))


def measured(
    make: Callable[..., SectionResult], platform: Platform, truth: shapely.Geometry, side: int
) -> tuple[SectionResult, shapely.Geometry]:
    """Return a section with the true shape at its centre and the spots inside called cancer, and the moved shape."""
    array, px = lattice_positions(platform, side)
    truth = affinity.translate(truth, *(px.mean(axis=0) + platform.pitch_um / platform.um_per_px * 0.29))
    probability = np.where(shapely.contains_xy(truth, *px.T), 0.9, 0.05)
    index = pd.Index([f"{column:g}x{row:g}" for column, row in array])
    um = px * platform.um_per_px
    obs = pd.DataFrame({"x_um": um[:, 0], "y_um": um[:, 1], "x_px": px[:, 0], "y_px": px[:, 1]}, index=index)
    obs[["array_x", "array_y"]] = array
    spots = make(side=side).spots.set_axis(index).assign(probability=probability, ood=np.nan)
    spots["label"] = pd.Categorical(np.where(probability > 0.5, "cancer", "normal"))
    result = make(
        adata=ad.AnnData(sparse.csr_matrix((len(index), 1)), obs=obs),
        spots=spots,
        pitch_um=platform.pitch_um,
        spot_um=platform.spot_um,
        spot_shape=platform.spot_shape,
        um_per_px=platform.um_per_px,
    )
    return result, truth


def read_annotations(result: SectionResult, path: Path) -> list[dict[str, Any]]:
    """Read a section's regions as QuPath does."""
    write_geojson(result, path)
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert all(len(feature["properties"]["classification"]["color"]) == 3 for feature in features)
    return [feature for feature in features if feature["properties"]["objectType"] == "annotation"]


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_regions_have_the_area_the_place_and_the_holes_of_the_tumour(
    make_result: Callable[..., SectionResult], tmp_path: Path, platform: str, shape: str
) -> None:
    outline, regions, holes = SHAPES[shape]
    layout = PLATFORMS[platform]
    result, truth = measured(make_result, layout, tumour(outline, layout, spots=200, seed=len(platform)), side=34)
    features = read_annotations(result, tmp_path / "s.geojson")
    polygons = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    together = shapely.union_all(polygons)
    assert len(polygons) == regions
    assert all(polygon.is_valid for polygon in polygons)
    assert sum(len(polygon.interiors) for polygon in polygons) == holes
    assert together.area == pytest.approx(truth.area, rel=0.05)
    assert together.intersection(truth).area / together.union(truth).area > 0.8  # borders follow the lattice
    mm2 = sum(feature["properties"]["measurements"]["Area mm2"] for feature in features)
    assert mm2 == pytest.approx(truth.area * (layout.um_per_px / 1000) ** 2, rel=0.05)


@pytest.mark.parametrize("platform", ["visium", "st", "visium_hd"])
def test_single_spots_above_the_threshold_add_nothing_and_single_ones_below_it_are_holes(
    make_result: Callable[..., SectionResult], tmp_path: Path, platform: str
) -> None:
    layout = PLATFORMS[platform]
    result, truth = measured(make_result, layout, tumour(ROUND, layout, spots=200, seed=1), side=34)
    distance = shapely.distance(truth.centroid, shapely.points(result.points))
    outside, centre = (int(np.argmin(np.abs(distance - target))) for target in (distance.max(), 0.0))
    result.spots.iloc[[outside, centre], result.spots.columns.get_loc("probability")] = 0.9, 0.05
    (region,) = read_annotations(result, tmp_path / "s.geojson")
    polygon = shapely.geometry.shape(region["geometry"])
    (hole,) = polygon.interiors
    cell = CELL_AREA[layout.lattice] * (layout.pitch_um / layout.um_per_px) ** 2
    assert shapely.Polygon(hole).area == pytest.approx(cell, rel=0.01)
    assert shapely.Polygon(hole).contains(shapely.Point(result.points[centre]))
    assert polygon.area == pytest.approx(truth.area, rel=0.05)


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize(("spots", "share"), [(20, 0.3), (60, 0.7), (200, 1.0)])
@pytest.mark.parametrize("shape", ["disc", "ring", "lobes"])
@pytest.mark.parametrize("lattice", ["visium", "xenium"])
def test_how_often_an_area_is_within_5_percent_depends_on_how_many_spots_it_covers(
    make_result: Callable[..., SectionResult], lattice: str, shape: str, spots: int, share: float
) -> None:
    layout = PLATFORMS[lattice]
    result, _ = measured(make_result, layout, tumour(ROUND, layout, spots=spots, seed=0), side=34)
    random = np.random.default_rng(0)
    pitch = layout.pitch_um / layout.um_per_px
    good = []
    for seed in range(60):
        truth = affinity.translate(
            tumour(SHAPES[shape][0], layout, spots=spots, seed=seed),
            *(result.points.mean(axis=0) + random.uniform(-1, 1, 2) * pitch),
        )
        inside = shapely.contains_xy(truth, *result.points.T).astype(float)
        area = sum(region.outline.area for region in result.tessellation.regions(inside, 0.5))
        good.append(abs(area / truth.area - 1) < 0.05)
    assert np.mean(good) >= share
