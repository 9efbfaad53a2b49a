"""docs/files.md lists every column, key and measurement that is written."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from stand_ins.copy_number import SUPPORTED

from spacrd_core.detection.attribution import DrivingGene
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.detector.files import DETECTOR_FILES
from spacrd_core.evaluation.comparison import Difference
from spacrd_core.evaluation.summary import Row, summarise
from spacrd_core.metrics.classification import Metrics
from spacrd_core.results.files.formats import FORMATS
from spacrd_core.results.folder import write_folder
from spacrd_core.results.result import LABEL_STYLES, Provenance, SectionResult
from spacrd_core.store.manifest import SectionEntry

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8")
CHAPTERS = {part.partition("\n")[0].split(":")[0]: part for part in re.split(r"^##? ", PAGE, flags=re.MULTILINE)}
NAME = re.compile(r"`([^`]+)`")


def rows(chapter: str, heading: str) -> list[list[str]]:
    """Return the cells of the chapter's table with this first heading."""
    table = re.search(rf"^\| ?{re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)", CHAPTERS[chapter], re.MULTILINE)
    assert table, f"'{chapter}' has no table of '{heading}'"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[1].splitlines()]


def named(chapter: str, heading: str) -> list[str]:
    """Return the names in the first column of that table."""
    return [name for row in rows(chapter, heading) for name in NAME.findall(row[0])]


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, make_result: Callable[..., SectionResult], provenance: Provenance
) -> Path:
    """The files of a Visium section V and a Xenium section X."""
    genes = (DrivingGene("ERBB2", 0.5, 2.0, 1.0), DrivingGene("ADIPOQ", -0.2, 0.1, None))
    visium = make_result(side=24, section_id="V", genes=genes, copy_number=SUPPORTED)
    xenium = make_result("square", side=24, section_id="X", barcodes=False, platform="xenium", spot_shape="square")
    folder = tmp_path_factory.mktemp("results")
    write_folder(folder, [visium, xenium], provenance)
    FORMATS["seg"].write_atomically(visium, folder / "on request", provenance)
    return folder


def test_every_written_file_is_on_the_page(
    written: Path, make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    paged = write_folder(tmp_path, [make_result(side=6, section_id="V")], provenance, paged=True)
    names = {file.name for file in written.iterdir() if file.is_file()}
    names |= {file.relative_to(tmp_path).as_posix() for file in paged}
    files = {re.sub(r"\b[VX]\.", "<id>.", name) for name in names}
    on_request = {f"<id>.{form.suffix}" for form in FORMATS.values() if form.on_request}
    assert files | on_request == {*named("Files", "file")}


@pytest.mark.parametrize(
    ("file", "chapter"),
    [
        ("V.spots.csv", "Spots"),
        ("V.genes.csv", "Genes"),
        ("V.loupe.csv", "Loupe Browser"),
        ("X.cell_groups.csv", "Xenium Explorer"),
    ],
)
def test_the_columns_of_tables_are_those_of_the_page(written: Path, file: str, chapter: str) -> None:
    assert named(chapter, "column") == pd.read_csv(written / file).columns.tolist()


def test_cell_groups_have_the_colours_of_the_page(written: Path) -> None:
    names, colours = (NAME.findall(meaning) for _, meaning in rows("Xenium Explorer", "column")[1:])
    assert names == [style.name for style in LABEL_STYLES.values()]
    assert colours == [style.hex_colour for style in LABEL_STYLES.values()]
    groups = pd.read_csv(written / "X.cell_groups.csv")[["group", "color"]].drop_duplicates()
    assert {*groups.itertuples(index=False, name=None)} <= {*zip(names, colours, strict=True)}


def test_anndata_has_the_columns_and_types_of_the_page(written: Path) -> None:
    obs = ad.read_h5ad(written / "V.h5ad").obs
    written_types = {name: obs[name].dtype.name for name in obs if name.startswith("spacrd_")}
    documented_types = {
        NAME.findall(row[0])[0]: row[1].replace("categorical", "category") for row in rows("AnnData", "column")
    }
    assert documented_types == written_types


def test_anndata_has_the_uns_keys_of_the_page(written: Path) -> None:
    assert sorted(named("AnnData", "key")) == sorted(ad.read_h5ad(written / "V.h5ad").uns["spacrd"])


def test_copy_number_has_the_keys_of_the_page(written: Path) -> None:
    found = json.loads((written / "manifest.json").read_text())["sections"]["V"]["copy_number"]
    assert named("Copy number", "key") == [*found]
    (arms,) = (row[1] for row in rows("Copy number", "key") if row[0] == "`arms`")
    assert [*found["arms"][0]] == [name for name in NAME.findall(arms) if name in found["arms"][0]]
    stored = ad.read_h5ad(written / "V.h5ad").uns["spacrd"]["copy_number"]
    assert sorted(named("Copy number", "key in the h5ad")) == sorted(stored)
    (segments,) = (row[1] for row in rows("Copy number", "key in the h5ad") if row[0] == "`segments`")
    assert sorted(NAME.findall(segments)[1:]) == sorted(stored["segments"])


def test_segments_have_the_columns_of_the_page(written: Path) -> None:
    assert named("Segments", "column") == pd.read_csv(written / "on request/V.seg", sep="\t").columns.tolist()


def test_geojson_has_the_properties_and_measurements_of_the_page(written: Path) -> None:
    features = json.loads((written / "V.geojson").read_text())["features"]
    region, spot = (features[index]["properties"] for index in (0, -1))
    assert [region["objectType"], spot["objectType"]] == ["annotation", "detection"]
    assert named("QuPath", "") == [*region] == [*spot]
    assert named("QuPath", "measurement of a region") == [*region["measurements"]]
    measurements = {name for feature in features for name in feature["properties"]["measurements"]} - {
        *region["measurements"]
    }
    assert measurements == {*named("QuPath", "measurement of a spot")} - {"SpaCRD image coverage"}  # unknown here


def test_multiqc_has_the_columns_of_the_page(written: Path) -> None:
    content = json.loads((written / "spacrd_mqc.json").read_text())
    assert named("MultiQC", "column") == [*content["headers"]] == [*content["data"]["V"]]


def test_the_manifest_has_the_keys_of_the_page(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    documented = {NAME.findall(row[0])[0]: NAME.findall(row[1]) for row in rows("Manifest", "key")}
    assert [*documented] == [*manifest]
    assert documented["provenance"] == [*manifest["provenance"], "uns['spacrd']"]
    assert documented["sections"] == [*manifest["sections"]["V"]]
    assert documented["files"] == [*manifest["files"][0]]


def test_an_evaluation_has_the_keys_of_the_page() -> None:
    row = Row(
        head="spacrd", encoder="none", modalities="genes", seed=42, section="A1", patient="A", platform="st", auc=0.9
    )
    assert sorted(named("Evaluation", "key of a row")) == sorted(Row.model_fields)
    assert sorted(named("Evaluation", "key of a summary")) == sorted(summarise([row])[0])
    assert named("Evaluation", "key of a difference") == [*Difference.model_fields]


def test_a_detector_has_the_files_and_keys_of_the_page() -> None:
    assert sorted(named("The detector's folder", "file")) == sorted(DETECTOR_FILES)
    assert named("The detector's folder", "key") == [*DetectorConfig.model_fields]
    assert ", ".join(f"`{name}`" for name in Metrics.__annotations__) in CHAPTERS["The detector's folder"]


def test_the_stores_manifest_has_the_keys_of_the_page() -> None:
    assert sorted(named("The store", "key")) == sorted(SectionEntry.model_fields)
