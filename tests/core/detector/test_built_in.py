"""The built-in detector: calls without labels, from genes, from genes and image, and none from an image alone."""

import json
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import MakeSection
from scipy import sparse
from sklearn.metrics import roc_auc_score
from stand_ins.carcinoma import SYMBOLS, carcinoma_counts

from spacrd_cli.main import run
from spacrd_core import SpotStore, detect, load_detector, write_results
from spacrd_core.detector.built_in import built_in_detector, is_built_in
from spacrd_core.detector.train import train
from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import ConfigError, DetectorError, MissingFile, TrainingError
from spacrd_core.model.findings import Findings
from spacrd_core.plugins import Plugins
from spacrd_core.prior.image import image_recipe_key
from spacrd_core.section.section import Section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section

CPU = Settings(device="cpu")


def carcinoma(section: Section, *, epithelium: float = 1.0, mouse: bool = False) -> Section:
    """The section with counts of the genes of the lists in place of its own, its left half tumour."""
    counts = carcinoma_counts(is_tumour(section.counts.obs), epithelium=epithelium)
    symbols = [name.capitalize() if mouse else name for name in SYMBOLS]
    var = pd.DataFrame({"symbol": symbols, "gene_id": ""}, index=pd.Index(symbols))
    adata = ad.AnnData(sparse.csr_matrix(counts.astype(np.int32)), obs=section.counts.obs, var=var)
    return replace(section, counts=adata)


def is_tumour(obs: pd.DataFrame) -> np.ndarray:
    """The cancer of the section as its photograph shows it, where it has no labels."""
    return (obs["x_um"] <= obs["x_um"].median()).to_numpy()


def add(store: SpotStore, section: Section, name: str) -> None:
    add_section(store, section, SectionKey(name, name, f"made-{name}", mpp=5.0))


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """Sections without labels: with genes and image, with genes alone, and without epithelium."""
    store = SpotStore.create(tmp_path / "store")
    add(store, carcinoma(make_section(1, labels=False)), "BOTH")
    add(store, carcinoma(make_section(2, labels=False, image=False)), "GENES")
    add(store, carcinoma(make_section(3, labels=False, image=False), epithelium=0.02), "HEART")
    return store


def truth_of(store: SpotStore, name: str) -> np.ndarray:
    return is_tumour(store.section(name).obs)


@pytest.mark.parametrize(("name", "modalities"), [("BOTH", "image+genes"), ("GENES", "genes")])
def test_it_calls_the_tumour_of_a_section_without_any_label(store: SpotStore, name: str, modalities: str) -> None:
    table, truth = detect(store, "prior", sections=[name], device="cpu")[name], truth_of(store, name)
    assert Findings.from_table(table).modalities == modalities
    assert roc_auc_score(truth, table["probability"]) > 0.95
    assert ((table["label"] == "cancer") & truth).sum() > 0.8 * truth.sum()
    assert ((table["label"] == "cancer") & ~truth).sum() < 0.1 * truth.sum()
    assert table[["ood", "agreement"]].isna().all(axis=None)
    assert (table["gene_coverage"] == 1).all()


@pytest.mark.slow
def test_by_an_image_alone_spots_are_ranked_but_not_called(tmp_path: Path, make_section: MakeSection) -> None:
    store = SpotStore.create(tmp_path / "images")
    add(store, make_section(1, labels=False), "IMAGE")  # none of its genes is on a list
    table = detect(store, "prior", device="cpu")["IMAGE"]
    assert Findings.from_table(table).modalities == "image"
    assert roc_auc_score(truth_of(store, "IMAGE"), table["probability"]) > 0.9
    assert set(table["label"]) == {"uncertain"}
    assert "nothing is called" in " ".join(Findings.from_table(table).cautions)


def test_calls_are_stored_and_written_as_those_of_any_detector(
    store: SpotStore, plugins: Plugins, tmp_path: Path
) -> None:
    detector = load_detector("prior", plugins=plugins)
    tables = detect(store, detector, device="cpu", plugins=plugins)
    stored, config = store.predictions("BOTH", detector.config.key)
    pd.testing.assert_series_equal(stored["probability"], tables["BOTH"]["probability"])
    assert config["head"] == "prior"
    write_results(store, detector, tables, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "BOTH.spots.csv", index_col="spot_id")
    assert written["label"].tolist() == tables["BOTH"]["label"].tolist()
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    genes = pd.read_csv(tmp_path / "out" / "BOTH.genes.csv")
    assert set(genes.loc[genes["attribution"] > 0, "gene"]) & set(SYMBOLS[:70])


def test_names_of_the_built_in_detector_are_no_folders_and_folders_are_not_it(tmp_path: Path) -> None:
    assert is_built_in("prior")
    assert is_built_in("prior:carcinoma")
    assert not any(map(is_built_in, ("./prior", str(tmp_path / "prior"), "Prior", "prior:melanoma")))
    with pytest.raises(DetectorError) as caught:
        load_detector(f"{tmp_path}/prior")
    assert "prior" in str(caught.value)


def test_a_folder_of_that_name_is_reached_by_its_path(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prior").symlink_to(trained)
    monkeypatch.chdir(tmp_path)
    assert load_detector("prior").config.built_in
    assert not load_detector("./prior").config.built_in


def test_both_names_are_the_same_detector_and_other_lists_are_another(plugins: Plugins, tmp_path: Path) -> None:
    first, second = (load_detector(name, plugins=plugins).config.key for name in ("prior", "prior:carcinoma"))
    assert first == second
    assert built_in_detector(plugins, own_lists(tmp_path)).config.key != first


def own_lists(folder: Path) -> str:
    """A file of lists of which one gene of each is on those of carcinoma."""
    file = folder / "own.toml"
    positive = {"glands": ["EPCAM", "KRT8", "KRT18"], "upkeep": ["GAPDH", "ENO1", "PGK1"]}
    head = 'name = "own"\ntissue = "made"\nepithelial = "glands"\nupkeep = "upkeep"\nreferences = ["made"]\n'
    lists = [f"positive.{name} = {json.dumps(genes)}" for name, genes in positive.items()]
    file.write_text(head + "\n".join([*lists, 'negative.stroma = ["COL1A1", "DCN"]']), encoding="utf-8")
    return str(file)


@pytest.mark.slow
def test_a_setting_gives_other_lists(store: SpotStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["detect", str(store.path), "prior", "--section", "GENES", "--device", "cpu", "-q"]
    assert run([*command, "--set", f"prior.lists={own_lists(tmp_path)}"]) == 0
    config = store.predictions("GENES")[1]
    assert config["prior"]["lists"]["name"] == "own"
    assert config["panel"] == ["COL1A1", "DCN", "ENO1", "EPCAM", "GAPDH", "KRT18", "KRT8", "PGK1"]
    assert run([*command, "--set", "prior.lists=nothing.toml"]) == 1
    assert "no gene lists at nothing.toml" in " ".join(capsys.readouterr().err.split())


def test_a_trained_detector_keeps_its_own_lists(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keeps the gene lists that it was trained with"):
        load_detector(trained, lists=own_lists(tmp_path))


def test_lists_that_are_not_there_are_refused_before_anything_is_read(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        built_in_detector(plugins, str(tmp_path / "nothing.toml"))


@pytest.mark.slow
def test_it_cannot_be_trained_or_saved(
    store: SpotStore, plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingError, match="the head 'prior' is built in and has nothing to train"):
        train(store, "prior", encoder=None, device="cpu")
    command = ["train", str(store.path), "-o", f"{tmp_path}/detector", "--encoder", "none", "--head", "prior", "-q"]
    assert run(command) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "the head 'prior' is built in and has nothing to train" in message
    assert "spacrd detect STORE prior" in message
    with pytest.raises(DetectorError, match="needs no folder"):
        built_in_detector(plugins).save(tmp_path / "detector")
    assert not (tmp_path / "detector").exists()


@pytest.mark.slow
def test_a_section_of_another_species_is_refused(
    tmp_path: Path, make_section: MakeSection, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SpotStore.create(tmp_path / "mouse")
    add(store, carcinoma(make_section(1, image=False), mouse=True), "MOUSE")
    with pytest.raises(DetectorError, match=r"section 'MOUSE' measures mouse genes .* human genes"):
        detect(store, "prior", device="cpu")
    assert run(["detect", str(store.path), "prior", "-q"]) == 1
    assert "measures mouse genes" in " ".join(capsys.readouterr().err.split())


def annotations(folder: Path, name: str) -> list[str]:
    """The names of the annotations in the GeoJSON of a section."""
    features = json.loads((folder / f"{name}.geojson").read_text())["features"]
    properties = [feature["properties"] for feature in features]
    return [each["name"] for each in properties if each["objectType"] == "annotation"]


def test_nothing_is_called_without_epithelium_and_regions_are_drawn_only_if_asked(
    store: SpotStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["detect", str(store.path), "prior", "--section", "HEART", "--device", "cpu", "--json"]
    assert run(command) == 0
    said = json.loads(capsys.readouterr().out)["sections"]["HEART"]
    assert (said["epithelium"], said["uncertain"], said["cancer"]) == ("none", 144, 0)
    assert "no epithelium was found, so nothing is called" in said["cautions"][0]
    third = ["--threshold", "prevalence=0.3"]
    assert run([*command, "-q", "-o", f"{tmp_path}/auto", *third]) == 0
    assert annotations(tmp_path / "auto", "HEART") == ["No epithelium found: no cancer regions drawn"]
    assert run([*command, "-q", "-o", f"{tmp_path}/always", *third, "--regions", "always"]) == 0
    drawn = annotations(tmp_path / "always", "HEART")
    assert drawn
    assert not any("no cancer regions" in name for name in drawn)
    spots = pd.read_csv(tmp_path / "always" / "HEART.spots.csv")
    assert set(spots["label"]) == {"uncertain"}
    export = ["export", str(store.path), "prior", "--section", "HEART", "--format", "geojson", "-q"]
    assert run([*export, "-o", f"{tmp_path}/later"]) == 0
    assert annotations(tmp_path / "later", "HEART") == drawn


@pytest.mark.slow
@pytest.mark.her2st
def test_a_heart_is_all_uncertain_and_a_carcinoma_of_the_breast_is_not(
    other: Path, her2st: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, heart = str(tmp_path / "real"), other / "heart_fetal_normal" / "ST-cnts" / "CN73_E1.tsv.gz"
    for path in (heart, her2st / "ST-cnts" / "B1.tsv.gz"):
        assert run(["ingest", store, str(path), "--no-image", "-q"]) == 0
    capsys.readouterr()
    assert run(["detect", store, "prior", "--device", "cpu", "--json", "-q"]) == 0
    said = json.loads(capsys.readouterr().out)["sections"]
    assert said["CN73_E1"]["uncertain"] == said["CN73_E1"]["spots"] > 50
    assert (said["B1"]["epithelium"], said["CN73_E1"]["epithelium"]) == ("present", "none")
    assert said["B1"]["cancer"] > 20


@pytest.mark.slow
def test_the_encoder_of_the_user_stays_the_one_that_its_name_selects(store: SpotStore, plugins: Plugins) -> None:
    embed(store, "stain", settings=CPU, sections=["BOTH"], plugins=plugins)
    own = store.embedding("BOTH", encoder="stain")
    key = image_recipe_key(plugins.encoders)
    assert own.recipe.key != key
    detect(store, "prior", sections=["BOTH"], device="cpu", plugins=plugins)
    assert store.embedding("BOTH", key=key).recipe.key == key
    assert store.embedding("BOTH", encoder="stain").recipe == own.recipe
    np.testing.assert_array_equal(store.embedding("BOTH", encoder="stain").values, own.values)


@pytest.mark.slow
def test_embedding_again_makes_existing_embeddings_those_that_the_name_selects(
    store: SpotStore, plugins: Plugins
) -> None:
    for options in ({}, {"normalised": True}, {}):
        embed(store, "stain", options=options, settings=CPU, sections=["BOTH"], plugins=plugins)
        assert store.embedding("BOTH", encoder="stain").options == options
    assert len(store.entry("BOTH").embeddings) == 2
