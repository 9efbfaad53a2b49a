"""The model card has the contents of the detector, in a form that the Hub reads."""

from html import unescape

import pytest
from huggingface_hub import ModelCard, ModelCardData
from markdown_it import MarkdownIt
from stand_ins.detector import made_detector

from spacrd_core.detector.detector import Detector
from spacrd_core.detector.held_out import held_out_metrics
from spacrd_core.detector.model_card import model_card
from spacrd_core.metrics.bootstrap import patient_interval
from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def restricted(plugins: Plugins) -> Detector:
    return made_detector(plugins, licence="CC-BY-NC-ND-4.0")


@pytest.fixture(scope="module")
def unrestricted(plugins: Plugins) -> Detector:
    return made_detector(plugins, licence="MIT")


@pytest.fixture(scope="module")
def alone(plugins: Plugins) -> Detector:
    """A detector of one patient, without a held-out patient."""
    return made_detector(plugins, patients="A")


def card_of(detector: Detector) -> ModelCard:
    return ModelCard(model_card(detector.config, detector.metrics))


def test_the_hub_reads_licence_library_and_tags(unrestricted: Detector, restricted: Detector) -> None:
    data = card_of(unrestricted).data.to_dict()
    assert (data["license"], data["library_name"]) == ("mit", "spacrd")
    assert data["tags"] == ["spacrd", "spatial-transcriptomics", "histopathology", "cancer", "st"]
    assert "license_name" not in data
    data = card_of(restricted).data.to_dict()
    assert (data["license"], data["license_name"]) == ("other", "cc-by-nc-nd-4.0")


def test_the_hubs_index_has_the_means_over_held_out_patients_with_their_intervals(unrestricted: Detector) -> None:
    aucs = [metrics["auc"] for metrics in unrestricted.metrics["held_out"].values()]
    low, high = patient_interval(aucs) or (None, None)
    data = card_of(unrestricted).data
    assert isinstance(data, ModelCardData)
    results = data.eval_results or []
    assert data.model_name == "SpaCRD detector"
    assert [result.metric_type for result in results] == ["roc_auc", "average_precision"]
    assert results[0].metric_value == pytest.approx(sum(aucs) / 3, abs=1e-4)
    assert results[0].metric_name == f"AUC, mean over patients, 95 % interval {low:.3f} to {high:.3f}"
    assert results[0].dataset_name == "3 patients, each held out in turn"


def test_metrics_are_means_over_patients_and_not_over_sections(unrestricted: Detector) -> None:
    sections = [section.model_copy(update={"patient": "A"}) for section in unrestricted.config.trained_on[:2]]
    config = unrestricted.config.model_copy(update={"trained_on": (*sections, unrestricted.config.trained_on[2])})
    first, second, third = (figures["auc"] for figures in unrestricted.metrics["held_out"].values())
    auc = held_out_metrics(config, unrestricted.metrics)[0]
    assert auc.patients == 2
    assert auc.mean == pytest.approx(((first + second) / 2 + third) / 2)


def test_it_has_data_labels_split_calibration_use_and_limits(unrestricted: Detector) -> None:
    text = card_of(unrestricted).text
    assert "3 sections of 3 patients" in text
    assert "| A1 | A | st | made |" in text
    assert "Each patient in this table was held out once" in text
    assert "with 3 patients they are approximate" in text
    assert "| calibration | platt |" in text
    assert "| licence of the encoder | MIT |" in text
    assert "**Intended use:** research. Not a medical device" in text
    assert "## Limits\n\n- It was trained on 3 patients (st)." in text
    assert f"| key | {unrestricted.config.key} |" in text


def test_its_tables_have_the_metrics_of_the_detector(unrestricted: Detector) -> None:
    text = card_of(unrestricted).text
    for section, metrics in unrestricted.metrics["held_out"].items():
        shown = " | ".join(f"{metrics[name]:.3f}" for name in ("auc", "ap", "f1", "brier", "ece"))
        assert f"| {section} | 36 | 18 | {shown} |" in text


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (("supported", "supported"), "in 2 of 2 training sections."),
        (("unclear", "supported", "no evidence"), "in 1 of 3 training sections (no evidence: C1, unclear: A1)."),
        (("unknown",), "in 0 of 1 training sections (unknown: A1)."),
    ],
)
def test_it_states_in_how_many_training_sections_copy_number_supports_the_tumour(
    unrestricted: Detector, verdicts: tuple[str, ...], sentence: str
) -> None:
    found = {f"{letter}1": {"verdict": verdict} for letter, verdict in zip("ABC", verdicts, strict=False)}
    text = model_card(unrestricted.config, unrestricted.metrics | {"copy_number": found})
    assert f"\n\nGains and losses of chromosome arms coincide with the tumour-like tissue {sentence}\n\n" in text


def test_it_does_not_mention_copy_number_that_was_not_looked_for(unrestricted: Detector) -> None:
    earlier = {name: value for name, value in unrestricted.metrics.items() if name != "copy_number"}
    for metrics in (earlier, earlier | {"copy_number": {}}):
        assert "chromosome arms" not in model_card(unrestricted.config, metrics)


def test_the_calibration_error_is_given_by_platform_and_called_optimistic(unrestricted: Detector) -> None:
    reliability = unrestricted.metrics["reliability"]["st"] | {"ece": 0.1234}
    metrics = unrestricted.metrics | {
        "reliability": {"st": reliability, "visium": reliability | {"ece": 0.05, "patients": 1}}
    }
    text = model_card(unrestricted.config, metrics)
    assert "\n\n![Fraction of cancer spots by probability](reliability.png)\n\n" in text
    assert "ECE, mean over patients: st 0.123 (3 patients), visium 0.050 (1 patient). These" in text
    assert "calibrated on the same patients, so the diagram and the ECE are optimistic" in text


def test_it_states_that_probabilities_are_not_calibrated(unrestricted: Detector) -> None:
    raw = {
        name: record.model_copy(update={"method": "none"}) for name, record in unrestricted.config.calibrations.items()
    }
    text = model_card(unrestricted.config.model_copy(update={"calibrations": raw}), unrestricted.metrics)
    assert "(3 patients). These probabilities are not calibrated.\n" in text
    assert "calibrated on the same patients" not in text


def test_constants_are_not_said_to_be_fitted_on_held_out_patients(unrestricted: Detector) -> None:
    assert "were fitted on these\nheld-out spots" in model_card(unrestricted.config, unrestricted.metrics)
    constants = {
        name: record.model_copy(update={"method": "prior"}) for name, record in unrestricted.config.calibrations.items()
    }
    text = model_card(unrestricted.config.model_copy(update={"calibrations": constants}), unrestricted.metrics)
    assert "No calibration and no threshold were fitted on these\nspots" in text
    assert "These probabilities were calibrated on other patients" in text
    assert "optimistic" not in text[text.index("## Performance") :]


def test_the_limits_mention_a_restrictive_licence_of_the_encoder(unrestricted: Detector, restricted: Detector) -> None:
    limit = "The licence of the encoder (CC-BY-NC-ND-4.0) may restrict who may use this detector"
    assert limit in card_of(restricted).text
    assert "may restrict who may use" not in card_of(unrestricted).text


def test_without_held_out_patients_it_states_that_the_performance_is_unknown(alone: Detector) -> None:
    card = card_of(alone)
    assert "model-index" not in card.data.to_dict()
    assert "No patient was held out, so the performance is unknown; the threshold is 0.5, as no patient" in card.text
    assert "- Probabilities from genes are not calibrated; the threshold is 0.5, as no patient" in card.text
    assert "1 section of 1 patient," in card.text


def test_markdown_and_html_in_a_name_are_escaped(alone: Detector) -> None:
    odd = alone.config.trained_on[0].model_copy(update={"label_source": "a|b <script>\n---"})
    text = model_card(alone.config.model_copy(update={"trained_on": (odd,)}), alone.metrics)
    assert "| A1 | A | st | a\\|b &lt;script&gt; --- |" in text


LIVE = (
    "[P1](https://evil.example)",
    "![](https://evil.example/pixel.png)",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "**P1** _P2_ ~~P3~~ `P4`",
    "\\[P1](https://evil.example)",
    "P1 | P2",
    "&#60;b&#62;",
    "# P1",
)


@pytest.mark.parametrize("name", LIVE)
def test_a_name_is_shown_as_it_is_and_not_as_markdown(alone: Detector, name: str) -> None:
    odd = alone.config.trained_on[0].model_copy(update={"patient": name, "label_source": name})
    text = model_card(alone.config.model_copy(update={"trained_on": (odd,)}), alone.metrics)
    line = next(line for line in text.splitlines() if line.startswith("| A1 |"))
    page = MarkdownIt().enable(["table", "strikethrough"]).render(f"|a|b|c|d|\n|-|-|-|-|\n{line}")
    cells = [cell.partition("</td>")[0] for cell in page.split("<td>")[1:]]
    assert [unescape(cell) for cell in cells] == ["A1", name, "st", name]


@pytest.mark.parametrize("name", ["CN73_C2", "P-01", "patient 3 (left)", "S1.left", "labels.csv", "Müller"])
def test_a_usual_name_needs_no_escapes(alone: Detector, name: str) -> None:
    odd = alone.config.trained_on[0].model_copy(update={"patient": name})
    text = model_card(alone.config.model_copy(update={"trained_on": (odd,)}), alone.metrics)
    assert f"| A1 | {name} | st |" in text


def test_an_address_in_a_name_is_no_link(alone: Detector) -> None:
    odd = alone.config.trained_on[0].model_copy(update={"patient": "https://evil.example www.evil.example"})
    text = model_card(alone.config.model_copy(update={"trained_on": (odd,)}), alone.metrics)
    assert "| https\\://evil.example www\\.evil.example |" in text


def test_it_states_that_too_few_patients_were_held_out_for_conformal_sets(
    unrestricted: Detector, alone: Detector
) -> None:
    assert "- Spots called from genes have no conformal sets" in card_of(alone).text
    assert "- Spots called from image+genes have no conformal sets" not in card_of(unrestricted).text
