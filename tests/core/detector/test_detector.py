"""The folder of a detector: strict loading, and figures that loading does not need."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse

from spacrd_core.cards import fingerprint
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.files import detector_key, require_detector_folder
from spacrd_core.errors import DetectorError
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins

FIGURES = ("curve.png", "reliability.png")
CPU = torch.device("cpu")
OPTIONS = TrainOptions(head=HeadOptions(name="linear"), seeds=1)


def section(patient: str, seed: int) -> SectionData:
    rng = np.random.default_rng(seed)
    labels = np.arange(36) % 2
    counts = rng.poisson(np.where(labels[:, None] == 1, 8.0, 3.0) * np.ones(6)).astype(float)
    return SectionData(
        id=f"{patient}1",
        patient=patient,
        platform="st",
        identity=f"made{seed}",
        label_source="made",
        pitch_um=200.0,
        spot_ids=tuple(map(str, range(36))),
        xy_um=np.column_stack(np.divmod(np.arange(36), 6)) * 200.0,
        labels=labels.astype(np.int64),
        expression=Expression.from_counts(sparse.csr_matrix(counts), [f"G{gene}" for gene in range(6)]),
        image=None,
        image_coverage=None,
        recipe=None,
    )


@pytest.fixture(scope="module")
def saved(plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sections = [section(patient, seed) for seed, patient in enumerate("ABC")]
    trained = train_calibrated(sections, OPTIONS, heads=plugins.heads, device=CPU)
    folder = tmp_path_factory.mktemp("saved") / "detector"
    Detector.from_training(trained, OPTIONS, sections, "").save(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "detector"))


def test_a_detector_has_six_files_and_its_card_shows_the_figures(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "config.json",
        "curve.png",
        "metrics.json",
        "model.safetensors",
        "reliability.png",
    ]
    for name in FIGURES:
        assert f"]({name})" in (folder / "README.md").read_text()
        with Image.open(folder / name) as picture:
            assert picture.format == "PNG"


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_again_from_the_loaded_metrics(
    name: str, folder: Path, plugins: Plugins, tmp_path: Path
) -> None:
    Detector.load(folder, heads=plugins.heads, device=CPU).save(tmp_path / "copy")
    assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_a_detector_without_its_figures_can_be_loaded(folder: Path, plugins: Plugins) -> None:
    for name in FIGURES:
        (folder / name).unlink()
    assert Detector.load(folder, heads=plugins.heads, device=CPU).config.head == "linear"


def test_its_metrics_have_the_bins_of_every_platform(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_bytes())
    reliability = metrics["reliability"]["st"]
    assert reliability["patients"] == 3
    assert sum(reliability["spots"]) == 3 * 36
    assert reliability["ece"] == pytest.approx(np.mean([held_out["ece"] for held_out in metrics["held_out"].values()]))


def test_without_held_out_patients_there_is_no_reliability_diagram(
    folder: Path, plugins: Plugins, tmp_path: Path
) -> None:
    detector = Detector.load(folder, heads=plugins.heads, device=CPU)
    replace(detector, metrics=detector.metrics | {"reliability": {}}).save(tmp_path / "other")
    assert not (tmp_path / "other" / "reliability.png").exists()
    assert "reliability.png" not in (tmp_path / "other" / "README.md").read_text()


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("name", ["model.safetensors", "metrics.json", "config.json"])
def test_a_detector_without_another_file_is_refused(name: str, folder: Path, plugins: Plugins) -> None:
    (folder / name).unlink()
    with pytest.raises(DetectorError, match="detector"):
        Detector.load(folder, heads=plugins.heads, device=CPU)


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        ("[]", "value: Input should be a valid dictionary"),
        ("{}", "missing setting 'held_out'; missing setting 'reliability'"),
        ("{", "cannot be read: Expecting property name"),
        ('{"reliability": {"st": {"patients": "<b>", "ece": 0.1, "spots": [], "cancer": []}}}', "st.patients: "),
    ],
)
def test_invalid_metrics_are_refused(content: str, phrase: str, folder: Path, plugins: Plugins) -> None:
    (folder / "metrics.json").write_text(content)
    with pytest.raises(DetectorError) as caught:
        Detector.load(folder, heads=plugins.heads, device=CPU)
    assert str(caught.value).startswith(f"{folder / 'metrics.json'}")
    assert phrase in str(caught.value)
    assert caught.value.hint == "copy the detector again"


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("name", ["species", "panel_ids", "fingerprint", "calibrations"])
def test_a_configuration_without_a_field_is_refused(name: str, folder: Path, plugins: Plugins) -> None:
    file = folder / "config.json"
    fields = json.loads(file.read_bytes())
    del fields[name]
    file.write_text(json.dumps(fields))
    with pytest.raises(DetectorError, match=r"is damaged|was changed"):
        Detector.load(folder, heads=plugins.heads, device=CPU)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("precision", "recorded"), [("fp32", {}), ("tf32", {"precision": "tf32"})])
def test_a_precision_other_than_fp32_is_recorded_and_scored_in(
    precision: str, recorded: dict[str, str], folder: Path, plugins: Plugins, tmp_path: Path
) -> None:
    sections = [section(patient, seed) for seed, patient in enumerate("ABC")]
    trained = train_calibrated(sections, OPTIONS, heads=plugins.heads, device=CPU)
    trained = replace(trained, ensemble=replace(trained.ensemble, precision=precision))
    Detector.from_training(trained, OPTIONS, sections, "").save(tmp_path / "other")
    loaded = Detector.load(tmp_path / "other", heads=plugins.heads, device=CPU)
    before, after = (json.loads((path / "config.json").read_bytes()) for path in (folder, tmp_path / "other"))
    assert loaded.ensemble.precision == precision
    assert {name: value for name, value in after.items() if name not in before} == recorded
    assert (after["fingerprint"] == before["fingerprint"]) == (not recorded)
    assert ("in tf32 on CUDA" in (tmp_path / "other" / "README.md").read_text()) == bool(recorded)


def test_the_fingerprint_is_a_hash_of_all_other_fields(folder: Path, plugins: Plugins) -> None:
    fields = json.loads((folder / "config.json").read_bytes())
    key = fields.pop("fingerprint")
    assert Detector.load(folder, heads=plugins.heads, device=CPU).config.key == key == fingerprint(fields)


def test_a_figure_alone_is_not_a_detector(tmp_path: Path) -> None:
    (tmp_path / "curve.png").touch()
    (tmp_path / "config.json").write_text(json.dumps({"format": "another"}))
    with pytest.raises(DetectorError, match="contains other files and is not a detector") as caught:
        require_detector_folder(tmp_path)
    assert "new folder" in caught.value.hint


@pytest.mark.slow
def test_replacing_returns_the_key_of_the_detector_that_was_there(folder: Path, plugins: Plugins) -> None:
    detector = Detector.load(folder, heads=plugins.heads, device=CPU)
    other = replace(detector, config=detector.config.model_copy(update={"torch_version": "another"}).with_fingerprint())
    assert other.replace(folder) == detector.config.key
    assert other.replace(folder.with_name("new")) == ""
    assert detector_key(folder) == other.config.key


def test_a_refusal_removes_what_a_killed_training_left(folder: Path) -> None:
    (folder.parent / ".spacrd-abcd1234").mkdir()
    with pytest.raises(DetectorError, match="contains a detector already"):
        require_detector_folder(folder, replace=False)
    assert not (folder.parent / ".spacrd-abcd1234").exists()
