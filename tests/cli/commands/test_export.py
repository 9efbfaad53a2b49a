"""``spacrd export``, and the file of ``spacrd detect -o``, for tools that open one platform or need a library."""

import json
import shutil
from pathlib import Path
from typing import get_type_hints

import anndata as ad
import pandas as pd
import pytest

from spacrd_cli.commands.export import export as export_command
from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.files import file_sha256
from spacrd_core.results.files.formats import FORMATS
from spacrd_core.results.result import LABEL_STYLES
from spacrd_core.store.store import SpotStore

GENES_ALONE = ["--encoder", "none", "--head", "linear", "--seeds", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with calls of a legacy ST section, S2, and of a Xenium section, S3, and what detect wrote of them."""
    folder = tmp_path_factory.mktemp("export")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "st", "xenium"))
    assert run(["ingest", f"{folder}/store", "--cohort", str(cohort), "--no-image", "-q"]) == 0
    assert run(["train", f"{folder}/store", "-o", f"{folder}/detector", *GENES_ALONE, "--section", "S1", "-q"]) == 0
    bands = ["--set", "bands.inside_um=[150]", "--set", "bands.outside_um=[100,300]"]
    assert run([*detect(folder), "--section", "S2", "--section", "S3", "-o", f"{folder}/out", *bands]) == 0
    return folder


def detect(folder: Path) -> list[str]:
    return ["detect", f"{folder}/store", f"{folder}/detector", "-q"]


def export(folder: Path, out: Path, form: str, *options: str) -> int:
    return run(["export", f"{folder}/store", "--format", form, "-o", str(out), "--json", "-q", *options])


def forget_cells(store: SpotStore) -> None:
    """Remove the cell table from the manifest, as if the section came from an h5ad."""
    entry = store.entry("S3").model_copy(update={"cells": None})
    store.update(lambda manifest: manifest.with_entry(entry))


def test_detect_carries_calls_to_the_cells_of_xenium_sections_alone(folder: Path) -> None:
    written = {file["name"] for file in json.loads((folder / "out/manifest.json").read_text())["files"]}
    assert {name for name in written if "cell_groups" in name} == {"S3.cell_groups.csv"}
    groups = pd.read_csv(folder / "out/S3.cell_groups.csv", index_col="cell_id")["group"]
    spots = pd.read_csv(folder / "out/S3.spots.csv", index_col="spot_id")
    cells = pd.read_parquet(next((folder / "cohort").rglob("*cells.parquet"))).set_index("cell_id")
    assert sorted(groups.index) == sorted(cells.index)
    place = (cells.loc[groups.index, ["x_centroid", "y_centroid"]] // 100).astype(int)
    inside = [f"x{x:05d}_y{y:05d}" for x, y in place.itertuples(index=False)]
    assert groups.tolist() == [LABEL_STYLES[label].name for label in spots.loc[inside, "label"]]


def test_cell_groups_are_exported_of_the_xenium_sections_in_a_store(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path, "xenium") == 0
    assert json.loads(capsys.readouterr().out)["written"] == [str(tmp_path / "S3.cell_groups.csv")]
    assert (tmp_path / "S3.cell_groups.csv").read_bytes() == (folder / "out/S3.cell_groups.csv").read_bytes()


def test_a_section_that_explorer_does_not_open_is_refused_by_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path, "xenium", "--section", "S2") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "section 'S2' has platform 'st'" in stderr
    assert "hint: choose Xenium sections" in stderr


@pytest.mark.slow
def test_without_a_cell_table_the_bundle_must_be_ingested_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "store", tmp_path / "store")
    forget_cells(SpotStore.open(tmp_path / "store"))
    assert export(tmp_path, tmp_path / "x", "xenium", "--section", "S3") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "does not list the cells of each spot of section 'S3'" in stderr
    assert "--name S3 --replace" in stderr
    command = ["detect", f"{tmp_path}/store", f"{folder}/detector", "--section", "S3", "-o", f"{tmp_path}/out", "-q"]
    assert run(command) == 0
    assert "warning: S3: no cell groups for Xenium Explorer" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out/S3.cell_groups.csv").exists()
    assert "no cell groups for xenium explorer" in (tmp_path / "out/report.html").read_text().lower()


def test_sections_that_a_format_cannot_show_are_left_out_with_the_reason(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path, "xenium") == 0
    stderr = " ".join(capsys.readouterr().err.split())
    assert "not written: section 'S2' has platform 'st'" in stderr


def test_loupe_is_given_no_ids_that_are_not_barcodes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path / "x", "loupe") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    for name in ("S2", "S3"):
        assert f"'{name}' have no Visium barcodes" in stderr
    assert "hint: choose Visium sections" in stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize(
    ("form", "suffix"), [(form.name, form.suffix) for form in FORMATS.values() if not form.on_request]
)
def test_a_format_is_exported_as_detect_writes_it(folder: Path, tmp_path: Path, form: str, suffix: str) -> None:
    detected = {file.name for file in (folder / "out").glob(f"*.{suffix}")}
    assert export(folder, tmp_path, form) == (0 if detected else 1)
    assert {file.name for file in tmp_path.iterdir()} == detected
    if suffix != "h5ad":  # which has the time of writing
        assert all((tmp_path / name).read_bytes() == (folder / "out" / name).read_bytes() for name in detected)


def test_exports_and_reports_divide_a_section_by_the_bands_that_detect_was_given(folder: Path, tmp_path: Path) -> None:
    assert export(folder, tmp_path, "h5ad", "--section", "S2") == 0
    report = tmp_path / "report.html"
    assert run(["report", f"{folder}/store", f"{folder}/detector", "--section", "S2", "-o", str(report), "-q"]) == 0
    read = ad.read_h5ad(tmp_path / "S2.h5ad")
    assert read.uns["spacrd"]["bands_um"].tolist() == [-150, 0, 100, 300]
    distance, band = read.obs["spacrd_border_distance_um"], read.obs["spacrd_band"]
    assert set(band[distance.between(100, 299)]) == {"100 to 300 um outside"}
    assert set(band[distance < -150]) == {"core"}
    assert "100 to 300 µm outside" in report.read_text(encoding="utf-8")


def test_an_unknown_format_is_reported_those_there_are_and_so_is_who_asks_for_help(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path, "docx") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "unknown format 'docx'" in stderr
    assert ", ".join(FORMATS) in stderr
    (option,) = get_type_hints(export_command, include_extras=True)["format_"].__metadata__
    assert option.metavar == "|".join(FORMATS)


def forget_calls(store: SpotStore, section: str) -> None:
    entry = store.entry(section).model_copy(update={"predictions": {}})
    store.update(lambda manifest: manifest.with_entry(entry))


def test_a_store_without_calls_says_so(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder / "store", tmp_path / "store")
    store = SpotStore.open(tmp_path / "store")
    for name in ("S2", "S3"):
        forget_calls(store, name)
    assert export(tmp_path, tmp_path / "x", "csv") == 1
    assert "contains no calls yet" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x").exists()


@pytest.fixture(scope="module")
def called_twice(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store with calls of S2 by two detectors, and of S3 by one."""
    copy = tmp_path_factory.mktemp("called_twice")
    shutil.copytree(folder / "store", copy / "store")
    shutil.copytree(folder / "detector", copy / "detector")
    assert run(["detect", f"{copy}/store", "prior", "--section", "S2", "-q"]) == 0
    return copy


def test_a_section_in_the_place_of_the_detector_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(folder, tmp_path / "x", "csv", "S2") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "'S2' is a section of" in stderr
    assert "hint: --section S2" in stderr


@pytest.mark.slow
def test_of_several_detectors_one_must_be_named(
    called_twice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = SpotStore.open(called_twice / "store").entry("S2").predictions
    capsys.readouterr()
    assert export(called_twice, tmp_path / "x", "csv") == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert f"called by 2 detectors: {first} (linear: S2, S3); {second} (prior with stain: S2)" in stderr
    assert not (tmp_path / "x").exists()
    assert export(called_twice, tmp_path, "csv", "--section", "S3") == 0, "that was called by one"


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("name", ["prior", "the folder", "the key"])
def test_the_calls_of_the_named_detector_are_exported_alone(
    called_twice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    store = SpotStore.open(called_twice / "store")
    first, second = store.entry("S2").predictions
    detector = {"prior": "prior", "the folder": f"{called_twice}/detector", "the key": first}[name]
    assert export(called_twice, tmp_path, "csv", detector) == 0
    assert {file.stem for file in tmp_path.iterdir()} == ({"S2.spots"} if name == "prior" else {"S2.spots", "S3.spots"})
    stored = store.predictions("S2", second if name == "prior" else first)[0]["probability"]
    exported = pd.read_csv(tmp_path / "S2.spots.csv")["probability"]
    assert exported.to_numpy() == pytest.approx(stored.to_numpy(), abs=1e-6, nan_ok=True)


@pytest.mark.slow
def test_files_of_earlier_exports_that_may_be_of_another_detector_are_named(
    called_twice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(called_twice, tmp_path, "csv", f"{called_twice}/detector") == 0
    capsys.readouterr()
    assert export(called_twice, tmp_path, "csv", "prior") == 0
    assert "files of earlier exports, perhaps of another detector: S3.spots.csv" in " ".join(
        capsys.readouterr().err.split()
    )


def test_results_of_one_detector_are_not_mixed_with_exports_of_another(
    folder: Path, called_twice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file.name for file in (folder / "out").iterdir()}
    assert export(called_twice, folder / "out", "seg", "prior") == 1
    assert "has results of another detector" in " ".join(capsys.readouterr().err.split())
    assert {file.name for file in (folder / "out").iterdir()} == before


@pytest.mark.slow  # tests/core/copy_number and tests/core/results have both
def test_profiles_are_exported_as_segments_and_as_pictures(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(aneuploid, tmp_path, "seg") == export(aneuploid, tmp_path, "profile") == 0
    names = {f"{section}.{suffix}" for section in ("GAIN", "EVEN") for suffix in ("seg", "profile.png")}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert "not written: section 'FEW' has no copy-number profile" in " ".join(capsys.readouterr().err.split())
    segments = pd.read_csv(tmp_path / "GAIN.seg", sep="\t")
    gained = segments.loc[segments["chrom"] == "chr20", "seg.mean"].iloc[-1]
    assert gained > segments["seg.mean"].median() + 0.2
    assert (segments["loc.start"] < segments["loc.end"]).all()
    assert segments.groupby("chrom", sort=False)["loc.start"].is_monotonic_increasing.all()


def test_detect_writes_no_profile_of_its_own(aneuploid: Path) -> None:
    suffixes = tuple(form.suffix for form in FORMATS.values() if form.on_request)
    assert not [file.name for file in (aneuploid / "out").iterdir() if file.name.endswith(suffixes)]


def forget_copy_number(store: SpotStore, section: str) -> None:
    """Store the latest calls as a version without copy number did."""
    spots, detector = store.predictions(section)
    spots = spots.drop(columns="copy_number")
    del spots.attrs["copy_number"]
    key = next(reversed(store.entry(section).predictions))
    store.publish_predictions(store.entry(section), spots, key=key, detector=detector)


@pytest.mark.slow
def test_calls_of_an_earlier_version_have_no_copy_number_and_are_exported_all_the_same(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(aneuploid / "store", tmp_path / "store")
    forget_copy_number(SpotStore.open(tmp_path / "store"), "GAIN")
    for form in ("csv", "h5ad", "geojson"):
        assert export(tmp_path, tmp_path / "x", form, "--section", "GAIN") == 0
    spots = pd.read_csv(tmp_path / "x/GAIN.spots.csv")
    assert spots["copy_number"].isna().all()
    assert spots["probability"].tolist() == pd.read_csv(aneuploid / "out/GAIN.spots.csv")["probability"].tolist()
    assert ad.read_h5ad(tmp_path / "x/GAIN.h5ad").uns["spacrd"]["copy_number"]["verdict"] == "unknown"
    capsys.readouterr()
    assert export(tmp_path, tmp_path / "x", "profile", "--section", "GAIN") == 1
    assert "profile: the section was called by an earlier version" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_every_section_is_exported_as_spatialdata(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spatialdata = pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    assert export(folder, tmp_path, "spatialdata") == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert written == [str(tmp_path / f"{name}.spatialdata.zarr") for name in ("S2", "S3")]
    store = SpotStore.open(folder / "store")
    for name, path in zip(("S2", "S3"), written, strict=True):
        data, spots = spatialdata.read_zarr(path), store.predictions(name)[0]
        assert data["table"].obs["spacrd_prob"].to_dict() == pytest.approx(spots["probability"].to_dict())
        assert {shape.geom_type for shape in data[f"{name}_spots"].geometry} == {"Point" if name == "S2" else "Polygon"}


@pytest.mark.slow
def test_exports_and_reports_into_a_results_folder_keep_the_checksums_of_its_manifest(
    folder: Path, tmp_path: Path
) -> None:
    results = shutil.copytree(folder / "out", tmp_path / "out")
    manifest = results / "manifest.json"
    before = {file["name"]: file["sha256"] for file in json.loads(manifest.read_text())["files"]}
    assert export(folder, results, "h5ad") == 0
    report = ["report", f"{folder}/store", f"{folder}/detector", "-o", f"{results}/report.html", "--section", "S2"]
    assert run([*report, "-q"]) == 0
    after = {file["name"]: file["sha256"] for file in json.loads(manifest.read_text())["files"]}
    assert after == {name: file_sha256(results / name) for name in before}
    assert after["report.html"] != before["report.html"]
    assert not list(results.glob(".*"))
