"""The model card that travels with a detector: filled from the artifact itself, in the Hub's format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment

from spacrd_core.detector.held_out import Reached, reached
from spacrd_core.metrics.bootstrap import how_rough

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.detector.config import DetectorConfig

NAME = "SpaCRD detector"
CARD = """\
---
{{ metadata }}
---
# A SpaCRD detector

Gives a calibrated probability of cancer for every spot of a spatial-transcriptomics section, from {{ reads }}.

**Intended use:** research. Not a medical device; no clinical decision may rest on it.

| | |
|---|---|
| head | {{ config.head }}, {{ config.seeds | length }} member{{ "s" if config.seeds | length > 1 }} (seed{{ "s" if config.seeds | length > 1 }} {{ config.seeds | join(", ") }}) |
| genes | {{ config.panel | length }}{{ ", " ~ config.species if config.species }} |
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
| key | {{ config.key }} |

## Use

```bash
spacrd detect STORE DETECTOR       # this folder, or hf://owner/name where it lies on the Hub
```

## Trained on

{{ config.trained_on | length }} section{{ "s" if config.trained_on | length > 1 }} of \
{{ patients }} patient{{ "s" if patients > 1 }}, with the labels of their source.

| section | patient | platform | labels |
|---|---|---|---|
{% for section in config.trained_on -%}
| {{ section.id | cell }} | {{ section.patient | cell }} | {{ section.platform }} | {{ section.label_source | cell or "in the section" }} |
{% endfor %}
## On patients it was not trained on

{% if held_out -%}
Split: each patient of this table was held out once, with all of its sections, from models that were otherwise trained
alike; the detector itself was then trained on all. Calibration and threshold were fitted to these same held-out spots, so
that F1, Brier and ECE flatter; AUC and AP {{ "owe them only how much image and genes count" if fused else \
"do not depend on them" }}. Probabilities take cancer and normal to be equally likely beforehand.

| {{ figures | join(" | ", attribute="name") }} |
|{{ "---|" * (figures | length) }}
| {{ figures | join(" | ", attribute="text") }} |

Means over patients; {{ rough }}.

| section | spots | cancer | AUC | AP | F1 | Brier | ECE |
|---|---|---|---|---|---|---|---|
{% for section, figures in held_out.items() -%}
| {{ section | cell }} | {{ figures.spots }} | {{ figures.positives }} | {{ figures.auc | figure }} | {{ figures.ap | figure }} | \
{{ figures.f1 | figure }} | {{ figures.brier | figure }} | {{ figures.ece | figure }} |
{% endfor %}
{% if reliability -%}
![Share of cancer spots by their probability](reliability.png)

ECE, mean over patients: {% for platform, figures in reliability.items() -%}
{{ platform | cell }} {{ figures.ece | figure }} ({{ figures.patients }} patient{{ "s" if figures.patients > 1 }})\
{{ ", " if not loop.last }}{% endfor %}. {% if config.calibration.method == "none" -%}
These probabilities are not calibrated.
{%- else -%}
These probabilities were calibrated on these patients together, so that picture and ECE flatter. As they take
cancer and normal to be equally likely beforehand, a line above the diagonal is to be expected where most spots are cancer, and
one below it where few are.
{%- endif %}
{% endif -%}
{% else -%}
There are no figures of held-out patients; the threshold is {{ config.calibration.threshold_rule }}.
{% endif %}
![Losses by epoch, and the AUC of patients held out](curve.png)

## Limits

- It has seen {{ patients }} patient{{ "s" if patients > 1 }} ({{ platforms | join(", ") }}). How it does on another organ, \
kind of cancer, platform or stain is unknown; every spot's `ood` says how far it is from what was seen.
- It repeats the labels it was trained on, with their mistakes.
- A probability is not the share of cancer cells in a spot, nor a diagnosis.
{% if config.panel -%}
- Genes that a section does not measure are inferred at best; every spot's `gene_coverage` says how much of the panel it has.
{% endif -%}
{% for view, calibration in config.calibrations.items() if calibration.method == "none" -%}
- From {{ view }} probabilities are not calibrated; the threshold is {{ calibration.threshold_rule }}.
{% endfor -%}
{% for view, calibration in config.calibrations.items() if calibration.strangeness | length < 2 -%}
- From {{ view }} spots have no conformal sets, for fewer than two patients calibrated it.
{% endfor -%}
{% if config.bound_by_licence -%}
- Who may use it, and for what, is the encoder's licence's to say ({{ config.licence }}).
{% endif -%}
"""


def model_card(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return a detector's model card, filled from the artifact itself."""
    environment = Environment(autoescape=False)  # noqa: S701 - Markdown, not HTML
    environment.filters["figure"] = lambda value: "-" if value is None else f"{value:.3f}"
    environment.filters["cell"] = _cell
    figures = reached(config, metrics)
    return environment.from_string(CARD).render(
        config=config,
        metadata=_metadata(config, figures),
        reads={"image+genes": "H&E and genes", "genes": "genes alone", "image": "H&E alone"}[config.modalities],
        patients=len({section.patient for section in config.trained_on}),
        platforms=sorted({section.platform for section in config.trained_on}),
        held_out=metrics.get("held_out", {}),
        reliability=metrics.get("reliability", {}),
        figures=figures,
        fused=len(config.calibration.shares) > 1,
        rough=how_rough(max((figure.patients for figure in figures), default=0)),
    )


def _metadata(config: DetectorConfig, figures: Sequence[Reached]) -> str:
    """What the Hub reads of a card: YAML, with the figures that no calibration flatters."""
    bound = config.bound_by_licence
    return ModelCardData(
        license="other" if bound else "mit",
        license_name=_slug(config.licence) if bound else None,
        library_name="spacrd",
        tags=["spacrd", "spatial-transcriptomics", "histopathology", "cancer", *_platform_tags(config)],
        model_name=NAME,
        eval_results=[_result(figure) for figure in figures if figure.figure in {"auc", "ap"}] or None,
    ).to_yaml()


def _result(figure: Reached) -> EvalResult:
    interval = f", 95 % interval {figure.interval[0]:.3f} to {figure.interval[1]:.3f}" if figure.interval else ""
    return EvalResult(
        task_type="other",
        task_name="cancer or normal, spot by spot",
        dataset_type="held-out-patients",
        dataset_name=f"{figure.patients} patients, each held out in turn",
        metric_type={"auc": "roc_auc", "ap": "average_precision"}[figure.figure],
        metric_name=f"{figure.name}, mean over patients{interval}",
        metric_value=round(figure.mean, 4),
    )


def _platform_tags(config: DetectorConfig) -> list[str]:
    return sorted({section.platform.replace("_", "-") for section in config.trained_on})


def _slug(licence: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", licence.casefold()).strip("-")


def _cell(text: str) -> str:
    """Return text that stays in one cell of a Markdown table, and runs nothing where it is shown."""
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|")):
        text = text.replace(sign, safe)
    return " ".join(text.split())
