"""``spacrd evaluate``: patient-wise cross-validation, heads side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import Field

from spacrd_cli.commands.evaluate_heads import variants
from spacrd_cli.options import (
    ConfigFile,
    Device,
    EncoderOrNone,
    Exclude,
    Json,
    NoGenes,
    Overrides,
    Quiet,
    Sections,
    Store,
)
from spacrd_cli.settings import TrainingSettings
from spacrd_cli.terminal.evaluation_tables import evaluation
from spacrd_cli.terminal.output import Output, as_json
from spacrd_core.config import read_config


class EvaluateConfig(TrainingSettings):
    """Settings of ``spacrd evaluate``; a table named after a head holds that head's options."""

    heads: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: int = Field(1, ge=1)
    by: Literal["patient", "section"] = "patient"
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
    exclude: Exclude = None,
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
    settings.require_a_modality()
    from spacrd_core import SpotStore  # torch arrives here, not sooner
    from spacrd_core import evaluate as evaluate_on
    from spacrd_core.plugins import load_plugins

    target, plugins = SpotStore.open(store), load_plugins()
    compared = variants(head or [], settings.heads, plugins.heads)
    if settings.by == "section":
        out.warn(
            "--by section: sections of one patient may stand on both sides of a split, which flatters every figure"
        )
    figures = evaluate_on(
        target,
        [settings.training(each.choice, seeds=1) for each in compared],
        encoder=settings.encoder.read,
        genes=not settings.no_genes,
        sections=section,
        exclude=exclude,
        seeds=range(settings.first_seed, settings.first_seed + settings.seeds),
        by=settings.by,
        jobs=settings.jobs,
        device=settings.device,
        plugins=plugins,
        track=out.track,
    )
    document = figures.document()
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(as_json(document) + "\n", encoding="utf-8")
        out.say(f"written to {output}")
    out.result(document, *evaluation(figures.rows, document))
