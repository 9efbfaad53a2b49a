"""The model card of a detector in the Hub's format, filled from its configuration and metrics.

Its sections are the items of TRIPOD+AI that a file can know (Collins et al., BMJ 2024;385:e078378).
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.detector.card_metadata import base_model, card_metadata
from spacrd_core.detector.few_patients import few_patients_note
from spacrd_core.detector.held_out import held_out_metrics
from spacrd_core.detector.training_copy_number import copy_number_note
from spacrd_core.metrics.bootstrap import interval_note
from spacrd_core.quoting import bounded, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.detector.config import DetectorConfig

TEMPLATE = "model_card.md.j2"
# What Markdown gives a meaning; inside a word, underscores have none. The last two begin links without brackets.
LIVE = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def model_card(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return the model card of a detector."""
    environment = Environment(autoescape=False)  # noqa: S701 - Markdown, not HTML
    environment.filters["number"] = lambda value: "-" if value is None else f"{value:.3f}"
    environment.filters["plain"] = plain
    averages = held_out_metrics(config, metrics)
    cohort = CohortOptions(**config.cohort)
    template = (files(__package__) / TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(template).render(
        config=config,
        metadata=card_metadata(config, averages),
        base_model=base_model(config),
        patch_um=f"{config.recipe.patch_um:g}" if config.recipe else "",
        neighbours=cohort.neighbours,
        cancer_fraction=cohort.cancer_fraction,
        counts=_label_counts(metrics),
        inputs={"image+genes": "H&E and genes", "genes": "genes only", "image": "H&E only"}[config.modalities],
        patients=len({section.patient for section in config.trained_on}),
        platforms=sorted({section.platform for section in config.trained_on}),
        few_patients=few_patients_note(config, metrics),
        copy_number=copy_number_note(metrics.get("copy_number", {})),
        held_out=metrics["held_out"],
        together=_together(metrics.get("held_out_together", [])),
        reliability=metrics["reliability"],
        averages=averages,
        fused=len(config.calibration.weights) > 1,
        interval_note=interval_note(max((average.patients for average in averages), default=0)),
    )


def _label_counts(metrics: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the number of labelled spots and of cancer spots by section, as far as they are known."""
    held_out = {name: (facts["spots"], facts["positives"]) for name, facts in metrics["held_out"].items()}
    labels = {name: (facts["cancer"] + facts["normal"], facts["cancer"]) for name, facts in _labels(metrics).items()}
    return held_out | labels


def _labels(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    labels: Mapping[str, Any] = metrics.get("labels", {})
    return labels


def _together(groups: Sequence[Sequence[str]]) -> str:
    """Return a phrase about patients that were held out at once; empty if each was held out alone."""
    return f" and in one of {len(groups)} groups of patients" if any(len(group) > 1 for group in groups) else ""


def plain(text: str) -> str:
    """Return text from outside that Markdown shows as it is: without HTML, links, pictures, emphasis and columns."""
    text = bounded(" ".join(printable(text).split()))
    for character, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, escape)
    return LIVE.sub(r"\\\g<0>", text)
