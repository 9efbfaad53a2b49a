"""``spacrd evaluate``: patient-wise cross-validation of heads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import Field, model_validator

from spacrd_cli.commands.evaluate_heads import variants
from spacrd_cli.components import load_components
from spacrd_cli.execution import ExecutorName, ExecutorSettings
from spacrd_cli.options import (
    ConfigFile,
    Device,
    DryRun,
    EncoderOrNone,
    Exclude,
    FoldsOption,
    HeadPrecision,
    Json,
    NoGenes,
    Overrides,
    Quiet,
    Scheduler,
    Sections,
    Store,
    Wide,
)
from spacrd_cli.settings import TrainingSettings
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.evaluation_tables import evaluation_tables
from spacrd_cli.terminal.output import Output, as_json
from spacrd_core.config import read_config
from spacrd_core.errors import InputError
from spacrd_core.outputs import has_signature, require_outside, require_room
from spacrd_core.replacement import replace_text
from spacrd_core.system_errors import explained

EVALUATION_START = b'{\n  "protocol": {'


class EvaluateConfig(TrainingSettings, ExecutorSettings):
    """Settings of ``spacrd evaluate``; the table ``heads.NAME`` contains options of a head."""

    heads: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: int = Field(1, ge=1)
    by: Literal["patient", "section"] = "patient"
    executor: ExecutorName = "processes"
    jobs: int | None = Field(None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _jobs_are_workers(cls, values: dict[str, Any]) -> dict[str, Any]:
        jobs = values.get("jobs")
        return values if jobs is None else {"workers": jobs, **values}


def evaluate(
    store: Store,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[+KEY=VALUE...]",
            help="Head, or a variant with options such as spacrd+align_epochs=0; repeatable. "
            "The baseline head linear is always included.",
            show_default="spacrd",
        ),
    ] = None,
    encoder: EncoderOrNone = None,
    no_genes: NoGenes = None,
    section: Sections = None,
    exclude: Exclude = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", help="Repetitions, one seed each.", show_default="1")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="patient|section", help="Unit to hold out.", show_default="patient")
    ] = None,
    folds: FoldsOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="File for all results as JSON.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="The same as --workers.", show_default=False)] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="serial|processes|dask",
            help="Run in this process, in several, or on a Dask cluster.",
            show_default="processes",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Number of workers.", show_default="one per core; 1 on CUDA")
    ] = None,
    scheduler: Scheduler = None,
    device: Device = None,
    precision: HeadPrecision = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    dry_run: DryRun = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Hold each patient out in turn, and compare heads and modalities."""
    out = Output(json=json, quiet=quiet, wide=wide)
    out.info(f"evaluating on {store}")
    flags = {"encoder.name": encoder, "no_genes": no_genes, "seeds": seeds, "by": by, "device": device, "jobs": jobs}
    flags |= {"executor": executor, "workers": workers, "scheduler": scheduler, "folds": folds}
    flags |= {"precision": precision}
    plugins = load_components(out)
    checks = {"heads": lambda tables: variants(head or [], tables, plugins.heads)}
    settings = read_config(EvaluateConfig, config, set_ or (), flags, checks)
    settings.require_modality()
    if settings.workers != 1 and not dry_run:  # one worker is this process
        settings.start_workers("spacrd_core.detector.read_task", "spacrd_core.evaluation.fold_tasks")
    from spacrd_core import SpotStore  # imports torch
    from spacrd_core import evaluate as evaluate_on

    target = SpotStore.open(store)
    if output:
        _require_evaluation_file(output)
    if output and not dry_run:
        require_room(output.parent)
    if note := settings.precision_note:
        out.warn(note)
    compared = variants(head or [], settings.heads, plugins.heads)
    if settings.by == "section":
        out.warn("--by section: sections of one patient may be in both training and test, which inflates every metric")
    heads = [settings.train_options(variant.options, seeds=1) for variant in compared]
    shared: dict[str, Any] = {
        "encoder": settings.encoder.name_or_none,
        "genes": not settings.no_genes,
        "sections": section,
        "exclude": exclude,
        "seeds": range(settings.first_seed, settings.first_seed + settings.seeds),
        "by": settings.by,
        "device": settings.device,
        "plugins": plugins,
        "track": out.track,
    }
    if dry_run:
        from spacrd_core.dry_run.evaluate import plan_evaluate

        show_plan(out, plan_evaluate(target, heads, output=output, elsewhere=bool(settings.scheduler), **shared))
        return
    chosen = None if settings.executor == "processes" else settings.make_executor()
    evaluation = evaluate_on(target, heads, jobs=settings.workers, executor=chosen, **shared)
    document = evaluation.document()
    if output:
        with explained(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            replace_text(output, as_json(document) + "\n")
        out.info(f"written to {output}")
    out.result(document, *evaluation_tables(evaluation.rows, document))


def _require_evaluation_file(file: Path) -> None:
    """Require that an evaluation may be written: to a new file, or in the place of an evaluation."""
    if file.exists() and not has_signature(file, EVALUATION_START):
        raise InputError(f"{file} is not an evaluation, and is not replaced", hint="name another file")
    require_outside(file)
