"""The model card of a detector in the Hub's format, filled from its configuration and metrics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment

from spacrd_core.detector.few_patients import few_patients_note
from spacrd_core.detector.held_out import HeldOutMetric, held_out_metrics
from spacrd_core.detector.training_copy_number import copy_number_note
from spacrd_core.metrics.bootstrap import interval_note
from spacrd_core.quoting import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.detector.config import DetectorConfig

MODEL_NAME = "SpaCRD detector"
# What Markdown gives a meaning; inside a word, underscores have none. The last two begin links without brackets.
LIVE = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-]|:(?=//)|(?<=www)\.", re.IGNORECASE)
TEMPLATE = """\
---
{{ metadata }}
---
# A SpaCRD detector

Predicts a calibrated probability of cancer for every spot of a spatial-transcriptomics section, from {{ inputs }}.

**Intended use:** research. Not a medical device; do not use it for clinical decisions.

| | |
|---|---|
| head | {{ config.head | plain }}, {{ config.seeds | length }} member{{ "s" if config.seeds | length > 1 }} (seed{{ "s" if config.seeds | length > 1 }} {{ config.seeds | join(", ") }}) |
{% if config.precision != "fp32" -%}
| matrix products | in {{ config.precision }} on CUDA, trained and scored |
{% endif -%}
| genes | {{ config.panel | length }}{{ ", " ~ (config.species | plain) if config.species }} |
| encoder | {{ config.encoder.name | plain if config.encoder else "none" }} |
{% if config.licence -%}
| licence of the encoder | {{ config.licence | plain }}\
{{ "; it may cover models trained on the encoder's output, including this one" if config.restricted_by_licence }} |
{% endif -%}
| calibration | {{ config.calibration.method }} |
| prior | {% if config.prior %}gene lists of {{ config.prior.lists.tissue | plain }}\
{{ "" if config.built_in else ", beside the head with weight %g by genes and %g with an image" | format(config.prior.genes_weight, config.prior.fused_weight) }}\
{% else %}not used: {{ config.without_prior | plain }}{% endif %} |
{% for modalities, calibration in config.calibrations.items() -%}
| weights for {{ modalities }} | {% for name, weight in calibration.weights.items() -%}
{{ "%.0f" | format(100 * weight) }} % {{ name }}{{ ", " if not loop.last }}{% endfor %} |
{% endfor -%}
| threshold | {{ "%.2f" | format(config.calibration.threshold) }} ({{ config.calibration.threshold_rule }}) |
| trained with | spacrd {{ config.spacrd_version }}, torch {{ config.torch_version }} |
| key | {{ config.key }} |

## Use

```bash
spacrd detect STORE {{ "prior" if config.built_in else "DETECTOR       # this folder, or hf://owner/name on the Hub" }}
```

## Trained on

{% if config.built_in -%}
Nothing: it reads gene lists and the density of the H&E. References:

{% for reference in config.prior.lists.references -%}
- {{ reference | plain }}
{% endfor -%}
{% else -%}
{{ config.trained_on | length }} section{{ "s" if config.trained_on | length > 1 }} of \
{{ patients }} patient{{ "s" if patients > 1 }}, with the labels of the given sources.

| section | patient | platform | labels |
|---|---|---|---|
{% for section in config.trained_on -%}
| {{ section.id | plain }} | {{ section.patient | plain }} | {{ section.platform | plain }} | {{ section.label_source | plain or "in the section" }} |
{% endfor -%}
{% if copy_number %}
Gains and losses of chromosome arms go with the tumour-like tissue in {{ copy_number | plain }}.
{% endif -%}
{% endif %}
## Performance on held-out patients

{% if held_out -%}
Each patient in this table was held out once, with all of its sections{{ together }}, from models that were otherwise trained in the
same way; the detector itself was then trained on all patients. The calibration and the threshold were fitted on these
held-out spots, so F1, Brier and ECE are optimistic; AUC and AP {{ "depend on them only through the weights of image and \
genes" if fused else "do not depend on them" }}. Probabilities assume that cancer and normal spots are equally frequent.

| {{ averages | join(" | ", attribute="name") }} |
|{{ "---|" * (averages | length) }}
| {{ averages | join(" | ", attribute="text") }} |

Means over patients; {{ interval_note }}.

| section | spots | cancer | AUC | AP | F1 | Brier | ECE |
|---|---|---|---|---|---|---|---|
{% for section, metrics in held_out.items() -%}
| {{ section | plain }} | {{ metrics.spots }} | {{ metrics.positives }} | {{ metrics.auc | number }} | {{ metrics.ap | number }} | \
{{ metrics.f1 | number }} | {{ metrics.brier | number }} | {{ metrics.ece | number }} |
{% endfor %}
{% if reliability -%}
![Fraction of cancer spots by probability](reliability.png)

ECE, mean over patients: {% for platform, metrics in reliability.items() -%}
{{ platform | plain }} {{ metrics.ece | number }} ({{ metrics.patients }} patient{{ "s" if metrics.patients > 1 }})\
{{ ", " if not loop.last }}{% endfor %}. {% if config.calibration.method == "none" -%}
These probabilities are not calibrated.
{%- else -%}
These probabilities were calibrated on the same patients, so the diagram and the ECE are optimistic. Because they
assume equally frequent cancer and normal spots, expect a line above the diagonal if most spots are cancer, and below it
if few are.
{%- endif %}
{% endif -%}
{% else -%}
No patient was held out, so the performance is unknown; the threshold is {{ config.calibration.threshold_rule }}.
{% endif %}
{% if not config.built_in -%}
![Losses by epoch, and AUC of held-out patients](curve.png)
{% endif %}

## Limits

{% if few_patients -%}
- {{ few_patients | capitalize }}.
{% endif -%}
{% if config.prior -%}
- It finds tumour-like tissue and is not a test of malignancy: normal ducts, lobules and mucosa are epithelium too.
- It speaks for {{ config.prior.lists.tissue | plain }}, not for other tumours; a section without epithelium gets no calls.
{% endif -%}
{% if config.built_in -%}
- No labels trained it. The constants of its probabilities come from six patients with breast carcinoma.
{% else -%}
- It was trained on {{ patients }} patient{{ "s" if patients > 1 }} ({{ platforms | map("plain") | join(", ") }}). Its performance on another organ, \
cancer type, platform or stain is unknown; the column `ood` gives the distance of every spot from the training spots, which cannot show another \
tissue{{ "; the column `agreement` can" if config.prior }}.
- It reproduces the labels it was trained on, including their errors.
{% endif -%}
- A probability is neither the fraction of cancer cells in a spot nor a diagnosis.
{% if config.panel -%}
- Genes that a section does not measure are inferred or missing; the column `gene_coverage` gives the measured fraction of the panel.
{% endif -%}
{% for modalities, calibration in config.calibrations.items() if calibration.method == "none" -%}
- Probabilities from {{ modalities }} are not calibrated; the threshold is {{ calibration.threshold_rule }}.
{% endfor -%}
{% for modalities, calibration in config.calibrations.items() if calibration.nonconformity | length < 2 -%}
- Spots called from {{ modalities }} have no conformal sets, because fewer than two patients were available for calibration.
{% endfor -%}
{% if config.restricted_by_licence -%}
- The licence of the encoder ({{ config.licence | plain }}) may restrict who may use this detector, and for what.
{% endif -%}
"""


def model_card(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return the model card of a detector."""
    environment = Environment(autoescape=False)  # noqa: S701 - Markdown, not HTML
    environment.filters["number"] = lambda value: "-" if value is None else f"{value:.3f}"
    environment.filters["plain"] = _plain
    averages = held_out_metrics(config, metrics)
    return environment.from_string(TEMPLATE).render(
        config=config,
        metadata=_metadata(config, averages),
        inputs={"image+genes": "H&E and genes", "genes": "genes only", "image": "H&E only"}[config.modalities],
        patients=len({section.patient for section in config.trained_on}),
        platforms=sorted({section.platform for section in config.trained_on}),
        few_patients=few_patients_note(config),
        copy_number=copy_number_note(metrics.get("copy_number", {})),
        held_out=metrics["held_out"],
        together=_together(metrics.get("held_out_together", [])),
        reliability=metrics["reliability"],
        averages=averages,
        fused=len(config.calibration.weights) > 1,
        interval_note=interval_note(max((average.patients for average in averages), default=0)),
    )


def _together(groups: Sequence[Sequence[str]]) -> str:
    """Return a phrase about patients that were held out at once; empty if each was held out alone."""
    return f" and in one of {len(groups)} groups of patients" if any(len(group) > 1 for group in groups) else ""


def _metadata(config: DetectorConfig, averages: Sequence[HeldOutMetric]) -> str:
    """Return the YAML header that the Hub reads, with the metrics that do not depend on the calibration."""
    restricted = config.restricted_by_licence
    return ModelCardData(
        license="other" if restricted else "mit",
        license_name=_slug(config.licence) if restricted else None,
        library_name="spacrd",
        tags=["spacrd", "spatial-transcriptomics", "histopathology", "cancer", *_platform_tags(config)],
        model_name=MODEL_NAME,
        eval_results=[_result(average) for average in averages if average.metric in {"auc", "ap"}] or None,
    ).to_yaml()


def _result(average: HeldOutMetric) -> EvalResult:
    low, high = average.interval or (0.0, 0.0)
    interval = f", 95 % interval {low:.3f} to {high:.3f}" if average.interval else ""
    return EvalResult(
        task_type="other",
        task_name="cancer or normal, per spot",
        dataset_type="held-out-patients",
        dataset_name=f"{average.patients} patients, each held out in turn",
        metric_type={"auc": "roc_auc", "ap": "average_precision"}[average.metric],
        metric_name=f"{average.name}, mean over patients{interval}",
        metric_value=round(average.mean, 4),
    )


def _platform_tags(config: DetectorConfig) -> list[str]:
    return sorted({section.platform.replace("_", "-") for section in config.trained_on})


def _slug(licence: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", licence.casefold()).strip("-")


def _plain(text: str) -> str:
    """Return text from outside that Markdown shows as it is: without HTML, links, pictures, emphasis and columns."""
    text = bounded(" ".join(text.split()))
    for character, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, escape)
    return LIVE.sub(r"\\\g<0>", text)
