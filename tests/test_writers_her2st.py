"""What people take away of a real section, opened by their tools: B4, called after learning from two other patients."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely
from browsing import CHROMIUM, opened, start_browser
from opened import Taken, agree, listed
from PIL import Image

from spacrd_cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.her2st

PHOTO_PX = (9272, 9923)  # of B4's image
FILES = {"B4.spots.csv", "B4.genes.csv", "B4.h5ad", "B4.geojson", "B4.png", "report.html", "spacrd_mqc.json"}


@pytest.fixture(scope="module")
def taken(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The files that detect writes of B4; the store is beside them. The slides are kept coarsely, to be quick."""
    folder = tmp_path_factory.mktemp("her2st")
    for name in ("A2", "C2", "B4"):
        counts, labels = her2st / f"ST-cnts/{name}.tsv.gz", her2st / f"labels_transferred/{name}.csv"
        say = ["--name", name, "--patient", name[0], "--labels", str(labels), "--mpp", "2", "-q"]
        assert run(["ingest", f"{folder}/store", str(counts), *say]) == 0
    learn = ["--encoder", "stain", "--head", "linear", "--seeds", "1", "--exclude", "B4", "-q"]
    assert run(["embed", f"{folder}/store", "--encoder", "stain", "-q"]) == 0
    assert run(["train", f"{folder}/store", "-o", f"{folder}/detector", *learn]) == 0
    call = ["--section", "B4", "-o", f"{folder}/results", "-q"]
    assert run(["detect", f"{folder}/store", f"{folder}/detector", *call]) == 0
    return Taken(folder / "results", "B4")


def export(taken: Taken, form: str, out: Path) -> int:
    store = taken.folder.parent / "store"
    return run(["export", str(store), "--format", form, "--section", "B4", "-o", str(out), "-q"])


def test_every_file_is_in_the_manifest_with_its_checksum(taken: Taken) -> None:
    assert listed(taken.folder) == FILES


def test_the_table_anndata_and_qupath_are_told_the_same_calls(taken: Taken) -> None:
    agree(taken)
    assert len(taken.spots) == 283
    assert {"Cancer", "Normal"} <= {*taken.objects("detection")["class"]}


def test_spots_and_regions_lie_where_the_authors_put_them_on_their_image(
    taken: Taken, her2st: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected = pd.read_csv(her2st / "ST-spotfiles/B4_selection.tsv", sep="\t")
    selected.index = pd.Index([f"{x}x{y}" for x, y in zip(selected["x"], selected["y"], strict=True)])
    shapes = taken.objects("detection")["shape"]
    theirs = selected.loc[shapes.index, ["pixel_x", "pixel_y"]].to_numpy()
    ours = shapely.get_coordinates(shapely.centroid(shapes.to_numpy()))
    np.testing.assert_allclose(ours, theirs, atol=0.05)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # a slide is larger than Pillow expects of a picture
    with Image.open(next((her2st / "ST-imgs/B").rglob("*.jpg"))) as photo:
        frame = shapely.box(0, 0, *photo.size)
    assert all(frame.contains(region) for region in taken.objects("annotation")["shape"])


def test_anndata_has_the_counts_as_they_were_and_says_where_the_calls_come_from(taken: Taken, her2st: Path) -> None:
    adata = taken.adata
    counts = pd.read_csv(her2st / "ST-cnts/B4.tsv.gz", sep="\t", index_col=0).loc[adata.obs_names]
    assert adata.X.sum() == counts.to_numpy().sum()
    assert adata.X.dtype.kind in "iu"
    origin = adata.uns["spacrd"]
    assert (origin["platform"], origin["head"], origin["encoder"]) == ("st", "linear", "stain")
    assert sorted(origin["training_sections"]) == ["A2", "C2"]


@pytest.mark.filterwarnings("default")
def test_squidpy_draws_the_calls_on_the_image(taken: Taken) -> None:
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    pytest.importorskip("matplotlib").use("Agg")
    for column in ("spacrd_prob", "spacrd_label"):
        axes = squidpy.pl.spatial_scatter(taken.adata, color=column, return_ax=True)
        assert axes.get_title() == column
        assert len(axes.get_images()) == 1


def test_genes_that_drive_the_calls_are_those_of_the_section_but_for_names_that_changed_since(taken: Taken) -> None:
    genes = pd.read_csv(taken.file("genes.csv"))
    assert genes["gene"].isin(taken.adata.var["symbol"]).mean() > 0.8
    assert genes["attribution"].abs().gt(0).all()
    assert 1 <= (genes["attribution"] > 0).sum() <= 20


def test_the_picture_shows_the_tissue_the_scale_and_the_outline(taken: Taken) -> None:
    with Image.open(taken.file("png")) as picture:
        assert picture.format == "PNG"
        assert picture.info["dpi"][0] == pytest.approx(200, abs=1)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    outline = (abs(pixels - (227, 18, 11)) < 10).all(axis=-1)
    stained = (pixels[..., 0] - pixels[..., 1] > 15) & (pixels[..., 2] - pixels[..., 1] > 15)
    assert outline.sum() > 1000
    assert stained.mean() > 0.3


def test_multiqc_is_given_the_row_of_the_section(taken: Taken) -> None:
    (row,) = json.loads((taken.folder / "spacrd_mqc.json").read_text())["data"].values()
    assert row["cancer"] == (taken.spots["label"] == "cancer").sum()
    assert row["cancer_mm2"] == pytest.approx(taken.objects("annotation")["Area mm2"].sum())


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in")
def test_a_browser_shows_the_counts_of_the_table_and_asks_for_nothing(taken: Taken) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed")
    counts = taken.spots["label"].value_counts().reindex(["cancer", "normal", "uncertain"], fill_value=0)
    with start_browser() as browser, opened(browser, taken.folder / "report.html") as page:
        rows = [re.sub(r"\s+", " ", row) for row in page.locator("tr").all_inner_texts()]
    assert any(row.startswith("B4 B st 283 " + " ".join(map(str, counts))) for row in rows)


def test_spatialdata_joins_the_calls_to_the_spots(taken: Taken, tmp_path: Path) -> None:
    spatialdata = pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    assert export(taken, "spatialdata", tmp_path) == 0
    data = spatialdata.read_zarr(tmp_path / "B4.spatialdata.zarr")
    assert set(data.images) == {"B4_he"}
    extent = spatialdata.get_extent(data["B4_he"], coordinate_system="global")
    assert (extent["x"][1], extent["y"][1]) == pytest.approx(PHOTO_PX, rel=0.001)
    painted = spatialdata.get_values("spacrd_prob", sdata=data, element_name="B4_spots", table_name="table")
    assert painted["spacrd_prob"].to_dict() == pytest.approx(taken.spots["probability"].to_dict(), abs=1e-6)
    assert data["B4_cancer_regions"]["area_mm2"].tolist() == pytest.approx(
        taken.objects("annotation")["Area mm2"].tolist()
    )


@pytest.mark.parametrize(
    ("form", "why"), [("loupe", "have no Visium barcodes"), ("xenium", "is st, which Xenium Explorer does not open")]
)
def test_tools_of_other_platforms_are_given_nothing_that_they_cannot_open(
    taken: Taken, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, why: str
) -> None:
    assert export(taken, form, tmp_path / "out") == 1
    assert why in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
