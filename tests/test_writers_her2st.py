"""Result files of a real section, read with the tools of users: B4, called after training on two other patients."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from browsing import CHROMIUM, opened, start_browser
from opened import ResultFiles, assert_consistent, verified_names
from PIL import Image

from spacrd_cli.main import run

pytestmark = [pytest.mark.her2st, pytest.mark.slow]

PHOTO_PX = (9272, 9923)  # of B4's image
FILES = {"B4.spots.csv", "B4.genes.csv", "B4.h5ad", "B4.geojson", "B4.png", "report.html", "spacrd_mqc.json"}


@pytest.fixture(scope="module")
def files(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> ResultFiles:
    """The files that detect writes for B4, beside their store. The slides are stored coarsely to save time."""
    folder = tmp_path_factory.mktemp("her2st")
    for name in ("A2", "C2", "B4"):
        counts, labels = her2st / f"ST-cnts/{name}.tsv.gz", her2st / f"labels_transferred/{name}.csv"
        options = ["--name", name, "--patient", name[0], "--labels", str(labels), "--mpp", "2", "-q"]
        assert run(["ingest", f"{folder}/store", str(counts), *options]) == 0
    train_options = ["--encoder", "stain", "--head", "linear", "--seeds", "1", "--exclude", "B4", "-q"]
    assert run(["embed", f"{folder}/store", "--encoder", "stain", "-q"]) == 0
    assert run(["train", f"{folder}/store", "-o", f"{folder}/detector", *train_options]) == 0
    detect_options = ["--section", "B4", "-o", f"{folder}/results", "-q"]
    assert run(["detect", f"{folder}/store", f"{folder}/detector", *detect_options]) == 0
    return ResultFiles(folder / "results", "B4")


def export(files: ResultFiles, form: str, out: Path) -> int:
    store = files.folder.parent / "store"
    return run(["export", str(store), "--format", form, "--section", "B4", "-o", str(out), "-q"])


def test_every_file_is_in_the_manifest_with_its_checksum(files: ResultFiles) -> None:
    assert verified_names(files.folder) == FILES


def test_the_table_anndata_and_qupath_have_the_same_calls(files: ResultFiles) -> None:
    assert_consistent(files)
    assert len(files.spots) == 283
    assert {"Cancer", "Normal"} <= {*files.objects("detection")["class"]}


def test_spots_and_regions_match_the_published_positions_on_the_image(
    files: ResultFiles, her2st: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected = pd.read_csv(her2st / "ST-spotfiles/B4_selection.tsv", sep="\t")
    selected.index = pd.Index([f"{x}x{y}" for x, y in zip(selected["x"], selected["y"], strict=True)])
    shapes = files.objects("detection")["shape"]
    published = selected.loc[shapes.index, ["pixel_x", "pixel_y"]].to_numpy()
    written = shapely.get_coordinates(shapely.centroid(shapes.to_numpy()))
    np.testing.assert_allclose(written, published, atol=0.05)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # a slide exceeds the limit of Pillow
    with Image.open(next((her2st / "ST-imgs/B").rglob("*.jpg"))) as photo:
        frame = shapely.box(0, 0, *photo.size)
    assert all(frame.contains(region) for region in files.objects("annotation")["shape"])


def test_anndata_has_the_original_counts_and_the_provenance(files: ResultFiles, her2st: Path) -> None:
    adata = files.adata
    counts = pd.read_csv(her2st / "ST-cnts/B4.tsv.gz", sep="\t", index_col=0).loc[adata.obs_names]
    assert adata.X.sum() == counts.to_numpy().sum()
    assert adata.X.dtype.kind in "iu"
    facts = adata.uns["spacrd"]
    assert (facts["platform"], facts["head"], facts["encoder"]) == ("st", "linear", "stain")
    assert sorted(facts["training_sections"]) == ["A2", "C2"]


@pytest.mark.filterwarnings("default")
def test_squidpy_draws_the_calls_on_the_image(files: ResultFiles) -> None:
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    pytest.importorskip("matplotlib").use("Agg")
    for column in ("spacrd_prob", "spacrd_label"):
        axes = squidpy.pl.spatial_scatter(files.adata, color=column, return_ax=True)
        assert axes.get_title() == column
        assert len(axes.get_images()) == 1


def test_driving_genes_are_genes_of_the_section_apart_from_renamed_ones(
    files: ResultFiles,
) -> None:
    genes = pd.read_csv(files.file("genes.csv"))
    assert genes["gene"].isin(files.adata.var["symbol"]).mean() > 0.8
    assert genes["attribution"].abs().gt(0).all()
    assert 1 <= (genes["attribution"] > 0).sum() <= 20


def test_the_picture_shows_the_tissue_the_scale_and_the_outline(files: ResultFiles) -> None:
    with Image.open(files.file("png")) as picture:
        assert picture.format == "PNG"
        assert picture.info["dpi"][0] == pytest.approx(200, abs=1)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    outline = (abs(pixels - (227, 18, 11)) < 10).all(axis=-1)
    stained = (pixels[..., 0] - pixels[..., 1] > 15) & (pixels[..., 2] - pixels[..., 1] > 15)
    assert outline.sum() > 1000
    assert stained.mean() > 0.3


def test_multiqc_has_the_row_of_the_section(files: ResultFiles) -> None:
    (row,) = json.loads((files.folder / "spacrd_mqc.json").read_text())["data"].values()
    assert row["cancer"] == (files.spots["label"] == "cancer").sum()
    assert row["cancer_mm2"] == pytest.approx(files.objects("annotation")["Area mm2"].sum())


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in")
def test_a_browser_shows_the_counts_of_the_table_and_requests_nothing(files: ResultFiles) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed")
    counts = files.spots["label"].value_counts().reindex(["cancer", "normal", "uncertain"], fill_value=0)
    with start_browser() as browser, opened(browser, files.folder / "report.html") as page:
        rows = [re.sub(r"\s+", " ", row) for row in page.locator("tr").all_inner_texts()]
    assert any(row.startswith("B4 B st 283 " + " ".join(map(str, counts))) for row in rows)


def test_spatialdata_joins_the_calls_to_the_spots(files: ResultFiles, tmp_path: Path) -> None:
    spatialdata = pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    assert export(files, "spatialdata", tmp_path) == 0
    data = spatialdata.read_zarr(tmp_path / "B4.spatialdata.zarr")
    assert set(data.images) == {"B4_he"}
    extent = spatialdata.get_extent(data["B4_he"], coordinate_system="global")
    assert (extent["x"][1], extent["y"][1]) == pytest.approx(PHOTO_PX, rel=0.001)
    values = spatialdata.get_values("spacrd_prob", sdata=data, element_name="B4_spots", table_name="table")
    assert values["spacrd_prob"].to_dict() == pytest.approx(files.spots["probability"].to_dict(), abs=1e-6)
    assert data["B4_cancer_regions"]["area_mm2"].tolist() == pytest.approx(
        files.objects("annotation")["Area mm2"].tolist()
    )


@pytest.mark.parametrize(("form", "reason"), [("loupe", "have no Visium barcodes"), ("xenium", "has platform 'st'")])
def test_formats_of_other_platforms_are_not_written(
    files: ResultFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, reason: str
) -> None:
    assert export(files, form, tmp_path / "out") == 1
    assert reason in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
