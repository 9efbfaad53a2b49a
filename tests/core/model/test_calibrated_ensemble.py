import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detection.predict import predict
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.model_card import model_card
from spacrd_core.errors import ConfigError, DetectorError, TrainingError
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainingEvent, TrainOptions, train_calibrated
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.state_dict import ensemble_state
from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SHORT = {"align": 2, "reconstruct": 1, "detect": 6}


def options(head: str = "linear", seeds: int = 1) -> TrainOptions:
    epochs = SHORT if head == "spacrd" else {}
    choice = HeadOptions(name=head, epochs=epochs)
    return TrainOptions(head=choice, cohort=CohortOptions(panel_genes=20), seeds=seeds)


@pytest.fixture
def sections(make_data: MakeData) -> list[SectionData]:
    return [make_data("A", 1), make_data("B", 2), make_data("C", 3)]


@pytest.fixture(params=["linear", "spacrd"])
def head(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fitted(sections: list[SectionData], choice: TrainOptions, plugins: Plugins) -> CalibratedEnsemble:
    return train_calibrated(sections, choice, heads=plugins.heads, device=CPU)


def test_a_detector_finds_the_tumour_of_a_patient_it_never_saw(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins, head: str
) -> None:
    trained = fitted(sections, options(head), plugins)
    target = make_data("D", 4)
    table = predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(target))
    cancer = target.labels == 1
    assert table["probability"][cancer].mean() > table["probability"][~cancer].mean() + 0.3
    assert table["probability"].between(0, 1).all()


def test_every_patient_is_held_out_once(sections: list[SectionData], plugins: Plugins) -> None:
    events: list[TrainingEvent] = []
    trained = train_calibrated(sections, options(), heads=plugins.heads, device=CPU, on_event=events.append)
    assert [event.stage for event in events if event.epoch is None] == ["without A", "without B", "without C"]
    assert set(trained.held_out) == {"A1", "B2", "C3"}
    assert {name: item.method for name, item in trained.calibrations.items()} == dict.fromkeys(MODALITIES, "platt")


@pytest.mark.ci_cases(1)
def test_one_seed_gives_one_detector_whatever_the_order_of_sections(
    sections: list[SectionData], plugins: Plugins, head: str
) -> None:
    first, again = (
        ensemble_state(fitted(order, options(head), plugins).ensemble) for order in (sections, sections[::-1])
    )
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.slow
def test_another_seed_gives_another_member(sections: list[SectionData], plugins: Plugins) -> None:
    state = ensemble_state(fitted(sections, options("spacrd", seeds=2), plugins).ensemble)
    names = [name for name in state if name.startswith("0.head.") and state[name].ndim == 2]
    assert any(not torch.equal(state[name], state["1" + name[1:]]) for name in names)


def test_labels_of_the_target_change_nothing(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins
) -> None:
    trained = fitted(sections, options(), plugins)
    target = make_data("D", 4)
    blind = replace(target, labels=np.full_like(target.labels, -1))
    tables = [
        predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(section))
        for section in (target, blind)
    ]
    assert tables[0].equals(tables[1])


def test_one_patient_alone_gives_an_uncalibrated_detector(sections: list[SectionData], plugins: Plugins) -> None:
    trained = fitted(sections[:1], options(), plugins)
    assert {item.method for item in trained.calibrations.values()} == {"none"}
    assert trained.held_out == {}


def test_sections_of_one_class_only_are_refused(sections: list[SectionData], plugins: Plugins) -> None:
    healthy = [replace(section, labels=np.zeros_like(section.labels)) for section in sections]
    with pytest.raises(TrainingError, match="found only normal spots"):
        fitted(healthy, options(), plugins)


def test_sections_without_labels_are_refused(sections: list[SectionData], plugins: Plugins) -> None:
    bare = [replace(section, labels=np.full_like(section.labels, -1)) for section in sections]
    with pytest.raises(TrainingError, match="no labelled spot"):
        fitted(bare, options(), plugins)


@pytest.mark.ci_cases(1)
def test_sections_with_and_without_an_image_train_together(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins, head: str
) -> None:
    blind = make_data("D", 4, image=False)
    trained = fitted([*sections, blind], options(head), plugins)
    assert set(trained.held_out) == {"A1", "B2", "C3", "D4"}
    for target in (make_data("E", 5), make_data("E", 5, image=False), replace(make_data("E", 5), expression=None)):
        table = predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(target))
        cancer = target.labels == 1
        assert table["probability"][cancer].mean() > table["probability"][~cancer].mean() + 0.2


def test_a_section_with_nothing_to_read_is_named(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins
) -> None:
    empty = replace(make_data("D", 4, image=False), expression=None)
    with pytest.raises(TrainingError, match="without genes and without an image: D4") as caught:
        fitted([*sections, empty], options(), plugins)
    assert "--exclude D4" in caught.value.hint


def test_an_unknown_phase_is_refused_with_those_there_are(sections: list[SectionData], plugins: Plugins) -> None:
    choice = TrainOptions(head=HeadOptions(name="spacrd", epochs={"dream": 3}), seeds=1)
    with pytest.raises(ConfigError, match="no phase dream"):
        fitted(sections, choice, plugins)


def test_a_section_far_from_the_training_tissue_is_out_of_distribution(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins
) -> None:
    trained = fitted(sections, options(), plugins)
    usual = make_data("D", 4)
    assert usual.image is not None
    rng = np.random.default_rng(0)
    noise = np.asarray(rng.standard_t(1.5, usual.image.shape)).astype(np.float32)
    distant = predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(replace(usual, image=noise)))
    ordinary = predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(usual))
    assert ordinary["ood"].median() < 1
    assert distant["ood"].quantile(0.9) > ordinary["ood"].quantile(0.9)


@pytest.mark.ci_cases(1)
def test_a_saved_detector_predicts_the_same_after_loading(
    sections: list[SectionData], make_data: MakeData, plugins: Plugins, tmp_path: Path, head: str
) -> None:
    choice = options(head, seeds=2)
    trained = fitted(sections, choice, plugins)
    detector = Detector.from_training(trained, choice, sections, "stain")
    detector.save(tmp_path / "detector")
    loaded = Detector.load(tmp_path / "detector", heads=plugins.heads, device=CPU)
    assert loaded.config.key == detector.config.key
    target = make_data("D", 4)
    before = predict(detector.ensemble, detector.calibrations, detector.ensemble.prepare(target))
    assert before.equals(predict(loaded.ensemble, loaded.calibrations, loaded.ensemble.prepare(target)))


def test_a_detector_folder_is_refused_when_its_weights_were_changed(
    sections: list[SectionData], plugins: Plugins, tmp_path: Path
) -> None:
    folder = tmp_path / "detector"
    Detector.from_training(fitted(sections, options(), plugins), options(), sections, "stain").save(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8] + b"tampered")
    with pytest.raises(DetectorError, match=r"does not match config\.json"):
        Detector.load(folder, heads=plugins.heads, device=CPU)


@pytest.fixture
def saved(sections: list[SectionData], plugins: Plugins, tmp_path: Path) -> Path:
    """A detector's folder."""
    folder = tmp_path / "saved"
    Detector.from_training(fitted(sections, options(), plugins), options(), sections, "stain").save(folder)
    return folder


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    ("key", "value"),
    [("seeds", []), ("image_dim", 0), ("encoder", None), ("panel", ["G1"]), ("schema_version", -3), ("head", "spacrd")],
)
def test_an_edited_configuration_is_refused(saved: Path, plugins: Plugins, key: str, value: object) -> None:
    file = saved / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with pytest.raises(DetectorError, match=r"config\.json"):
        Detector.load(saved, heads=plugins.heads, device=CPU)


def test_a_detector_of_a_newer_spacrd_asks_for_an_update(saved: Path, plugins: Plugins) -> None:
    file = saved / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema_version": 99, "news": 1}))
    with pytest.raises(DetectorError, match="has schema version 99") as caught:
        Detector.load(saved, heads=plugins.heads, device=CPU)
    assert caught.value.hint == "update SpaCRD"


def test_a_detector_never_takes_the_place_of_other_files(
    sections: list[SectionData], plugins: Plugins, tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").touch()
    detector = Detector.from_training(fitted(sections, options(), plugins), options(), sections, "stain")
    with pytest.raises(DetectorError, match="contains other files"):
        detector.save(tmp_path)
    assert (tmp_path / "thesis.docx").exists()


def test_a_detector_that_was_being_replaced_when_the_process_died_is_brought_back(
    saved: Path, plugins: Plugins
) -> None:
    saved.rename(saved.with_name(".saved.old"))
    assert Detector.load(saved, heads=plugins.heads, device=CPU).config.head == "linear"


def test_the_model_card_names_sections_figures_and_the_intended_use(
    sections: list[SectionData], plugins: Plugins, tmp_path: Path
) -> None:
    Detector.from_training(fitted(sections, options(), plugins), options(), sections, "stain").save(
        tmp_path / "detector"
    )
    card = (tmp_path / "detector" / "README.md").read_text()
    assert all(section.id in card for section in sections)
    assert "Not a medical device" in card
    assert "| A1 | 81 |" in card


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    ("licence", "tag", "reached"),
    [("MIT", "mit", 0), ("apache-2.0", "mit", 0), ("CC-BY-NC-ND-4.0", "other", 1), ("unknown", "other", 1)],
)
def test_the_model_card_says_whether_the_encoders_licence_reaches_the_detector(
    sections: list[SectionData], plugins: Plugins, licence: str, tag: str, reached: int
) -> None:
    detector = Detector.from_training(fitted(sections, options(), plugins), options(), sections, "stain")
    encoder = detector.config.encoder
    assert encoder is not None
    under = encoder.model_copy(update={"recipe": encoder.recipe | {"licence": licence}})
    card = model_card(detector.config.model_copy(update={"encoder": under}), detector.metrics)
    assert f"license: {tag}\n" in card
    assert f"| licence of the encoder | {licence}" in card
    assert card.count("may cover models trained on the encoder's output, including this one") == reached
