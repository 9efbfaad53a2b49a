"""A slide alone goes through every step, and gives the regions that the same tissue gives as spots of a platform."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from spacrd_core import SpotStore, detect, embed, train, write_results
from spacrd_core.demo.cohort import demo_specimen, write_section
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.model.calibrated_ensemble import TrainOptions

SEED, PITCH_UM, STEP_PX = 7, 100.0, 5.0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> SpotStore:
    """The H&E of a section alone."""
    folder = tmp_path_factory.mktemp("alone")
    store, specimen = SpotStore.create(folder / "store"), demo_specimen(3, "visium", seed=SEED)
    row = write_section(folder, specimen, "visium")
    ingest(store, folder / row["image"], reader="slide", name="slide", patient="P3", um_per_px=specimen.um_per_px)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SpotStore:
    """Three sections on Visium, and the H&E of the third alone."""
    folder = tmp_path_factory.mktemp("same")
    store = SpotStore.create(folder / "store")
    for number in (1, 2, 3):
        specimen = demo_specimen(number, "visium", seed=SEED)
        row = {key: value for key, value in write_section(folder, specimen, "visium").items() if value}
        image = folder / row["image"]
        given = {"name": f"S{number}", "patient": f"P{number}", "labels": folder / row["labels"], "image": image}
        ingest(store, folder / row["path"], **given)  # type: ignore[arg-type]
    slide = store.entry("S3").um_per_px
    ingest(store, image, reader="slide", name="slide", patient="P3", um_per_px=slide)
    return store


def regions(folder: Path, section: str) -> shapely.Geometry:
    content = json.loads((folder / f"{section}.geojson").read_text())
    features = content["features"] if isinstance(content, dict) else content
    outlines = [shape(part["geometry"]) for part in features if part["properties"]["objectType"] == "annotation"]
    return shapely.union_all(outlines)


def distance_px(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """The mean distance of one outline from the other."""
    at = np.arange(0, one.boundary.length, STEP_PX)
    return float(shapely.distance(shapely.line_interpolate_point(one.boundary, at), other.boundary).mean())


def test_a_slide_alone_is_called_without_labels_and_written(alone: SpotStore, tmp_path: Path) -> None:
    tables = detect(alone, "prior", sections=["slide"])
    write_results(alone, "prior", tables, tmp_path / "results")
    assert set(tables["slide"]["label"]) == {"uncertain"}, "by the image alone spots are ranked"
    assert tables["slide"]["probability"].std() > 0.1
    assert alone.entry("slide").genes == 0
    names = {file.name for file in (tmp_path / "results").iterdir()}
    assert {"slide.h5ad", "slide.geojson", "slide.spots.csv", "slide.png", "report.html"} <= names


@pytest.mark.slow
def test_the_regions_are_those_of_the_same_tissue_on_visium(store: SpotStore, tmp_path: Path) -> None:
    embed(store, "stain")
    options = TrainOptions(head="spacrd", seeds=1)
    detector = train(store, options, encoder="stain", genes=False, sections=["S1", "S2"])
    write_results(store, detector, detect(store, detector, sections=["S3", "slide"]), tmp_path / "results")
    spots, slide = (regions(tmp_path / "results", name) for name in ("S3", "slide"))
    um = store.entry("S3").um_per_px
    distances = [um * distance_px(spots, slide), um * distance_px(slide, spots)]
    print(f"\nmean distance of outlines {distances} um, areas {spots.area} and {slide.area} px2")  # noqa: T201
    assert max(distances) < PITCH_UM / 2
    assert slide.area == pytest.approx(spots.area, rel=0.1)
