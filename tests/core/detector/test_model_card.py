"""The model card: what is in the artifact and nothing more, in a form that the Hub reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from huggingface_hub import ModelCard
from stand_ins.detector import made_detector

from spacrd_core.detector.held_out import reached
from spacrd_core.detector.model_card import model_card
from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from spacrd_core.detector.detector import Detector
    from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def bound(plugins: Plugins) -> Detector:
    return made_detector(plugins, licence="CC-BY-NC-ND-4.0")


@pytest.fixture(scope="module")
def free(plugins: Plugins) -> Detector:
    return made_detector(plugins, licence="MIT")


@pytest.fixture(scope="module")
def alone(plugins: Plugins) -> Detector:
    """A detector of one patient, none of whom could be held out."""
    return made_detector(plugins, patients="A")


def card_of(detector: Detector) -> ModelCard:
    return ModelCard(model_card(detector.config, detector.metrics))


def test_the_hub_reads_licence_library_and_tags(free: Detector, bound: Detector) -> None:
    data = card_of(free).data.to_dict()
    assert (data["license"], data["library_name"]) == ("mit", "spacrd")
    assert data["tags"] == ["spacrd", "spatial-transcriptomics", "histopathology", "cancer", "st"]
    assert "license_name" not in data
    data = card_of(bound).data.to_dict()
    assert (data["license"], data["license_name"]) == ("other", "cc-by-nc-nd-4.0")


def test_the_hubs_index_has_the_means_over_held_out_patients_with_their_intervals(free: Detector) -> None:
    aucs = [figures["auc"] for figures in free.metrics["held_out"].values()]
    low, high = patient_interval(aucs) or (None, None)
    data = card_of(free).data
    results = data.eval_results or []
    assert data.model_name == "SpaCRD detector"
    assert [result.metric_type for result in results] == ["roc_auc", "average_precision"]
    assert results[0].metric_value == pytest.approx(sum(aucs) / 3, abs=1e-4)
    assert results[0].metric_name == f"AUC, mean over patients, 95 % interval {low:.3f} to {high:.3f}"
    assert results[0].dataset_name == "3 patients, each held out in turn"


def test_figures_are_means_over_patients_whose_sections_count_together(free: Detector) -> None:
    sections = [section.model_copy(update={"patient": "A"}) for section in free.config.trained_on[:2]]
    config = free.config.model_copy(update={"trained_on": (*sections, free.config.trained_on[2])})
    first, second, third = (figures["auc"] for figures in free.metrics["held_out"].values())
    auc = reached(config, free.metrics)[0]
    assert auc.patients == 2
    assert auc.mean == pytest.approx(((first + second) / 2 + third) / 2)


def test_it_says_data_labels_split_calibration_use_and_limits(free: Detector) -> None:
    text = card_of(free).text
    assert "3 sections of 3 patients" in text
    assert "| A1 | A | st | made |" in text
    assert "each patient of this table was held out once" in text
    assert "with 3 of them they are rough, and rather too narrow" in text
    assert "| calibration | platt |" in text
    assert "| encoder's licence | MIT |" in text
    assert "**Intended use:** research. Not a medical device" in text
    assert "## Limits\n\n- It has seen 3 patients (st)." in text
    assert f"| key | {free.config.key} |" in text


def test_every_figure_of_its_tables_is_the_artifacts(free: Detector) -> None:
    text = card_of(free).text
    for section, figures in free.metrics["held_out"].items():
        shown = " | ".join(f"{figures[name]:.3f}" for name in ("auc", "ap", "f1", "brier", "ece"))
        assert f"| {section} | 36 | 18 | {shown} |" in text


def test_the_calibration_error_is_said_by_platform_and_that_it_flatters(free: Detector) -> None:
    found = free.metrics["reliability"]["st"] | {"ece": 0.1234}
    metrics = free.metrics | {"reliability": {"st": found, "visium": found | {"ece": 0.05, "patients": 1}}}
    text = model_card(free.config, metrics)
    assert "\n\n![Share of cancer spots by their probability](reliability.png)\n\n" in text
    assert "ECE, mean over patients: st 0.123 (3 patients), visium 0.050 (1 patient). These" in text
    assert "These probabilities were calibrated on these patients together, so that picture and ECE flatter." in text


def test_of_probabilities_that_nobody_calibrated_it_says_so(free: Detector) -> None:
    raw = {view: record.model_copy(update={"method": "none"}) for view, record in free.config.calibrations.items()}
    text = model_card(free.config.model_copy(update={"calibrations": raw}), free.metrics)
    assert "(3 patients). These probabilities are not calibrated.\n" in text
    assert "calibrated on these patients together" not in text


def test_where_the_encoders_licence_reaches_it_the_limits_say_so(free: Detector, bound: Detector) -> None:
    limit = "Who may use it, and for what, is the encoder's licence's to say (CC-BY-NC-ND-4.0)."
    assert limit in card_of(bound).text
    assert "encoder's licence's to say" not in card_of(free).text


def test_without_held_out_patients_it_says_that_there_are_no_figures(alone: Detector) -> None:
    card = card_of(alone)
    assert "model-index" not in card.data.to_dict()
    assert "There are no figures of held-out patients; the threshold is 0.5, as no patient" in card.text
    assert "- From genes probabilities are not calibrated; the threshold is 0.5, as no patient" in card.text
    assert "1 section of 1 patient," in card.text


def test_a_name_that_is_markdown_or_html_stays_in_its_cell(alone: Detector) -> None:
    odd = alone.config.trained_on[0].model_copy(update={"label_source": "a|b <script>\n---"})
    text = model_card(alone.config.model_copy(update={"trained_on": (odd,)}), alone.metrics)
    assert "| A1 | A | st | a\\|b &lt;script> --- |" in text


def test_it_says_where_too_few_patients_were_held_out_for_conformal_sets(free: Detector, alone: Detector) -> None:
    assert (
        "- From genes spots have no conformal sets, for fewer than two patients calibrated it." in card_of(alone).text
    )
    assert "- From image+genes spots have no conformal sets" not in card_of(free).text
