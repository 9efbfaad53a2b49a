"""``spacrd evaluate``: patient-wise cross-validation, heads side by side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import Field

from spacrd_cli.evaluate_heads import CONTROL, variants
from spacrd_cli.evaluate_tables import evaluation
from spacrd_cli.options import ConfigFile, Device, EncoderOrNone, Json, NoGenes, Overrides, Quiet, Sections, Store
from spacrd_cli.output import Output, as_json
from spacrd_cli.settings import EncoderName
from spacrd_cli.train import require_a_modality, train_options
from spacrd_core import __version__
from spacrd_core.config import CommandConfig, read_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from spacrd_core.cards import HeadCard
    from spacrd_core.learning.train import TrainOptions
    from spacrd_core.plugins import Registry


class EvaluateConfig(CommandConfig):
    """Settings of ``spacrd evaluate``; a table named after a head holds that head's options."""

    encoder: EncoderName = Field(default_factory=EncoderName)
    heads: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cohort: dict[str, Any] = Field(default_factory=dict)
    no_genes: bool = False
    seeds: int = Field(1, ge=1)
    first_seed: int = 42
    calibrate: bool = True
    by: Literal["patient", "section"] = "patient"
    device: str = "auto"
    jobs: int | None = Field(None, ge=1)


def evaluate(
    store: Store,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[+KEY=VALUE...]",
            help="A head, or a variant of it by options, as spacrd+align_epochs=0; repeatable. "
            "The control, linear, is always there.",
            show_default="spacrd",
        ),
    ] = None,
    encoder: EncoderOrNone = None,
    no_genes: NoGenes = None,
    section: Sections = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Repetitions, a seed each.", show_default="1")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="patient|section", help="What to hold out.", show_default="patient")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="Where to keep it.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes.", show_default="one a core; 1 on CUDA")
    ] = None,
    device: Device = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold every patient out in turn, and compare heads and modalities on them."""
    out = Output(json=json, quiet=quiet)
    flags = {"encoder.name": encoder, "no_genes": no_genes, "seeds": seeds, "by": by, "device": device, "jobs": jobs}
    settings = read_config(EvaluateConfig, config, set_ or (), flags)
    require_a_modality(settings.encoder, no_genes=settings.no_genes)
    from spacrd_core import steps  # torch arrives here, not sooner
    from spacrd_core.devices import choose_device
    from spacrd_core.learning.differences import against_control, against_single_modalities
    from spacrd_core.learning.summary import summarise
    from spacrd_core.plugins import load_plugins
    from spacrd_core.store.store import SpotStore

    target, plugins, chosen = SpotStore.open(store), load_plugins(), choose_device(settings.device)
    name = settings.encoder.canonical(plugins.encoders)
    compared = variants(head or [], settings.heads, plugins.heads)
    if settings.by == "section":
        out.warn(
            "--by section: sections of one patient may stand on both sides of a split, which flatters every figure"
        )
    options = [train_options(settings, each.choice, seeds=1) for each in compared]
    rows = steps.evaluate(
        target,
        options,
        encoder=name,
        plugins=plugins,
        device=chosen,
        genes=not settings.no_genes,
        sections=section or (),
        seeds=range(settings.first_seed, settings.first_seed + settings.seeds),
        by=settings.by,
        jobs=settings.jobs or usual_jobs(chosen),
        track=out.track,
    )
    summary = summarise(rows)
    differences = [*against_control(rows, CONTROL), *against_single_modalities(rows)]
    document = steps.facts(rows, summary, _protocol(settings, options, plugins.heads, name, summary))
    document["differences"] = [difference.model_dump() for difference in differences]
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(as_json(document) + "\n", encoding="utf-8")
        out.say(f"written to {output}")
    out.result(document, *evaluation(rows, document))


def usual_jobs(device: torch.device) -> int:
    """Return how many processes share a device: one a core, and one alone on CUDA, whose memory they would share."""
    return 1 if device.type == "cuda" else os.cpu_count() or 1


def _protocol(
    settings: EvaluateConfig,
    options: Sequence[TrainOptions],
    heads: Registry[HeadCard],
    encoder: str,
    summary: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    from spacrd_core.learning.choices import reading
    from spacrd_core.learning.intervals import how_rough

    compared = {each.head.label: each for each in options}
    threshold = "threshold chosen on held-out patients inside the training set"
    return {
        "spacrd": __version__,
        "held_out": settings.by,
        "heads": [*compared],
        "control": CONTROL,
        "encoder": encoder or "none",
        "genes": not settings.no_genes,
        "seeds": [settings.first_seed + number for number in range(settings.seeds)],
        "cohort": {label: reading(each.cohort, each.head, heads).model_dump() for label, each in compared.items()},
        "head_options": {
            label: heads.options(each.head.name, each.head.options).model_dump(mode="json")
            for label, each in compared.items()
        },
        "label_rule": "undetermined spots are left out",
        "f1_prevalence": "threshold at the test section's true prevalence: uses the test labels (the published rule)",
        "f1": threshold if settings.calibrate else "threshold 0.5 of logits as they are: calibration was not asked for",
        "mean": "over sections and seeds within a patient, then over patients; sd is between patients",
        "interval": how_rough(max((len(line["auc_by_patient"]) for line in summary), default=0)),
        "differences": "of patients' means; the better of several modalities is taken by patient, by its labels",
    }
