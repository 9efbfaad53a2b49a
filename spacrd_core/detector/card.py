"""The model card that travels with a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.detector.config import DetectorConfig

CARD = """\
---
library_name: spacrd
tags: [spatial-transcriptomics, histopathology, cancer]
license: {{ "other" if config.bound_by_licence else "mit" }}
---
# A SpaCRD detector

Gives a calibrated probability of cancer for every spot of a spatial-transcriptomics section, from {{ reads }}.

**Intended use:** research. Not a medical device; no clinical decision may rest on it.

| | |
|---|---|
| head | {{ config.head }}, {{ config.seeds | length }} member{{ "s" if config.seeds | length > 1 }} (seeds {{ config.seeds | join(", ") }}) |
| genes | {{ config.panel | length }} |
| encoder | {{ config.encoder.name if config.encoder else "none" }} |
{% if config.licence -%}
| encoder's licence | {{ config.licence }}\
{{ "; it reaches models trained on the encoder's output, this one included" if config.bound_by_licence }} |
{% endif -%}
| calibration | {{ config.calibration.method }} |
{% for view, calibration in config.calibrations.items() -%}
| {{ view }}: the call is made from | {% for name, share in calibration.shares.items() -%}
{{ "%.0f" | format(100 * share) }} % {{ name }}{{ ", " if not loop.last }}{% endfor %} |
{% endfor -%}
| threshold | {{ "%.2f" | format(config.calibration.threshold) }} ({{ config.calibration.threshold_rule }}) |
| made by | spacrd {{ config.spacrd_version }}, torch {{ config.torch_version }} |

## Trained on

| section | patient | platform | labels |
|---|---|---|---|
{% for section in config.trained_on -%}
| {{ section.id }} | {{ section.patient }} | {{ section.platform }} | {{ section.label_source or "in the section" }} |
{% endfor %}
## On patients it was not trained on

Each patient was held out once. Calibration and threshold were fitted to these same held-out spots, so that F1, Brier and
ECE flatter; AUC does not depend on them. Probabilities take cancer and normal to be equally likely beforehand.

| section | spots | cancer | AUC | F1 | Brier | ECE |
|---|---|---|---|---|---|---|
{% for section, figures in held_out.items() -%}
| {{ section }} | {{ figures.spots }} | {{ figures.positives }} | {{ figures.auc | figure }} | {{ figures.f1 | figure }} | \
{{ figures.brier | figure }} | {{ figures.ece | figure }} |
{% else -%}
| no patient could be held out: probabilities are not calibrated | | | | | | |
{% endfor %}
![Losses by epoch, and the AUC of patients held out](curve.png)
"""


def model_card(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return a detector's model card, filled from the artifact itself."""
    environment = Environment(autoescape=False)  # noqa: S701 - Markdown, not HTML
    environment.filters["figure"] = lambda value: "-" if value is None else f"{value:.3f}"
    reads = {"image+genes": "H&E and genes", "genes": "genes alone", "image": "H&E alone"}[config.modalities]
    return environment.from_string(CARD).render(config=config, reads=reads, held_out=metrics.get("held_out", {}))
