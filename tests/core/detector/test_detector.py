"""The pictures in a detector's folder: there for people, and no part of what is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse

from spacrd_core.cards import fingerprint
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.files import require_room
from spacrd_core.errors import DetectorError
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import TrainOptions, train
from spacrd_core.model.options import HeadChoice

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins

PICTURES = ("curve.png", "reliability.png")
CPU = torch.device("cpu")
OPTIONS = TrainOptions(head=HeadChoice(name="linear"), seeds=1)


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
        expression=Expression.of_counts(sparse.csr_matrix(counts), [f"G{gene}" for gene in range(6)]),
        image=None,
        image_coverage=None,
        recipe=None,
    )


@pytest.fixture
def folder(plugins: Plugins, tmp_path: Path) -> Path:
    sections = [section(patient, seed) for seed, patient in enumerate("ABC")]
    trained = train(sections, OPTIONS, heads=plugins.heads, device=CPU)
    Detector.of(trained, OPTIONS, sections, "").save(tmp_path / "detector")
    return tmp_path / "detector"


def test_a_detector_holds_six_files_and_its_card_shows_the_pictures(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "config.json",
        "curve.png",
        "metrics.json",
        "model.safetensors",
        "reliability.png",
    ]
    for name in PICTURES:
        assert f"]({name})" in (folder / "README.md").read_text()
        with Image.open(folder / name) as picture:
            assert picture.format == "PNG"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_again_from_the_loaded_figures(
    name: str, folder: Path, plugins: Plugins, tmp_path: Path
) -> None:
    Detector.load(folder, heads=plugins.heads, device=CPU).save(tmp_path / "copy")
    assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_a_detector_without_its_pictures_is_whole(folder: Path, plugins: Plugins) -> None:
    for name in PICTURES:
        (folder / name).unlink()
    assert Detector.load(folder, heads=plugins.heads, device=CPU).config.head == "linear"


def test_its_figures_keep_the_bins_of_every_platform(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_bytes())
    found = metrics["reliability"]["st"]
    assert found["patients"] == 3
    assert sum(found["spots"]) == 3 * 36
    assert found["ece"] == pytest.approx(np.mean([figures["ece"] for figures in metrics["held_out"].values()]))


@pytest.mark.parametrize("older", [{}, {"reliability": {}}])
def test_without_bins_of_held_out_patients_there_is_no_picture_of_them(
    older: dict[str, object], folder: Path, plugins: Plugins, tmp_path: Path
) -> None:
    detector = Detector.load(folder, heads=plugins.heads, device=CPU)
    known = {name: figures for name, figures in detector.metrics.items() if name != "reliability"}
    replace(detector, metrics=known | older).save(tmp_path / "other")
    assert not (tmp_path / "other" / "reliability.png").exists()
    assert "reliability.png" not in (tmp_path / "other" / "README.md").read_text()


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.json", "config.json"])
def test_a_detector_without_another_file_is_refused(name: str, folder: Path, plugins: Plugins) -> None:
    (folder / name).unlink()
    with pytest.raises(DetectorError, match="detector"):
        Detector.load(folder, heads=plugins.heads, device=CPU)


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ("[]", "cannot be read: 'list' object has no attribute 'get'"),
        ("{", "cannot be read: Expecting property name"),
        ('{"reliability": {"st": {"patients": "<b>", "ece": 0.1, "spots": [], "cancer": []}}}', "st.patients: "),
    ],
)
def test_figures_that_are_none_are_refused_by_file(figures: str, says: str, folder: Path, plugins: Plugins) -> None:
    (folder / "metrics.json").write_text(figures)
    with pytest.raises(DetectorError) as caught:
        Detector.load(folder, heads=plugins.heads, device=CPU)
    assert str(caught.value).startswith(f"{folder / 'metrics.json'}")
    assert says in str(caught.value)
    assert caught.value.hint == "copy the detector again"


def test_a_detector_of_an_older_version_that_wrote_fewer_facts_is_whole(folder: Path, plugins: Plugins) -> None:
    file = folder / "config.json"
    facts = {name: fact for name, fact in json.loads(file.read_bytes()).items() if name not in {"seal", "species"}}
    seal = fingerprint(facts)
    file.write_text(json.dumps(facts | {"seal": seal}))
    assert Detector.load(folder, heads=plugins.heads, device=CPU).config.key == seal


def test_a_picture_alone_makes_no_detector(tmp_path: Path) -> None:
    (tmp_path / "curve.png").touch()
    (tmp_path / "config.json").write_text(json.dumps({"format": "another"}))
    with pytest.raises(DetectorError, match="holds other files and is no detector") as caught:
        require_room(tmp_path)
    assert caught.value.hint == "name a new folder for the detector"
