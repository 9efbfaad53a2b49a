"""The YAML header of a model card, in the fields that the Hugging Face Hub reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from huggingface_hub import EvalResult, ModelCardData

from spacrd_core.errors import UnknownName
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.held_out import HeldOutMetric

MODEL_NAME = "SpaCRD detector"
HUB_WEIGHTS = "hub:"
REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
TAGS = ("spacrd", "spatial-transcriptomics", "histopathology", "cancer")
METRIC_IDS = {"auc": "roc_auc", "ap": "average_precision", "f1": "f1", "brier": "brier_score"}
INDEPENDENT = {"auc", "ap"}  # of the calibration, which was fitted on the same patients


def card_metadata(config: DetectorConfig, averages: Sequence[HeldOutMetric]) -> str:
    """Return the YAML header that the Hub reads, with the metrics that do not depend on the calibration.

    The sections of the training are in no dataset of the Hub, so none is named.
    """
    restricted, encoder = config.restricted_by_licence, base_model(config)
    task = "image-classification" if config.modalities == "image" else "tabular-classification"
    return ModelCardData(
        license="other" if restricted else "mit",
        license_name=_slug(config.licence) if restricted else None,
        license_link=f"https://huggingface.co/{encoder}" if restricted and encoder else None,
        library_name="spacrd",
        pipeline_tag=task,
        base_model=encoder or None,
        base_model_relation="adapter" if encoder else None,
        metrics=[METRIC_IDS[each.metric] for each in averages if each.metric in METRIC_IDS] or None,
        tags=[*TAGS, *_platform_tags(config)],
        model_name=MODEL_NAME,
        eval_results=[_result(each, task) for each in averages if each.metric in INDEPENDENT] or None,
    ).to_yaml()


def base_model(config: DetectorConfig) -> str:
    """Return the repository of the encoder on the Hub; '' if it has none, or it is not known."""
    if config.encoder is None or config.recipe is None:
        return ""
    kind, _, repo = config.recipe.weights.partition(HUB_WEIGHTS)
    if kind or not repo:
        repo = _published(config.encoder.name)
    return repo if REPOSITORY.fullmatch(repo) else ""


def _published(encoder: str) -> str:
    """Return the repository that the card of an installed encoder names; weights from a file have only a checksum."""
    try:
        card = load_plugins().encoders.card(encoder)
    except UnknownName:
        return ""
    return card.network.repo if card.network and not card.family else ""


def _result(average: HeldOutMetric, task: str) -> EvalResult:
    low, high = average.interval or (0.0, 0.0)
    interval = f", 95 % interval {low:.3f} to {high:.3f}" if average.interval else ""
    return EvalResult(
        task_type=task,
        task_name="cancer or normal, per spot",
        dataset_type="held-out-patients",
        dataset_name=f"{average.patients} patients, each held out in turn",
        metric_type=METRIC_IDS[average.metric],
        metric_name=f"{average.name}, mean over patients{interval}",
        metric_value=round(average.mean, 4),
    )


def _platform_tags(config: DetectorConfig) -> list[str]:
    return sorted({_slug(section.platform.replace("_", "-")) for section in config.trained_on} - {""})


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.casefold()).strip("-")[:80]
