"""``spacrd embed``: compute one image embedding per spot."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field

from spacrd_cli.commands.default_encoder import suggest_encoders
from spacrd_cli.components import load_components
from spacrd_cli.execution import ExecutorSettings, PartSettings
from spacrd_cli.options import (
    ConfigFile,
    Device,
    DryRun,
    Executor,
    Json,
    Overrides,
    Quiet,
    Scheduler,
    Sections,
    Store,
    Wide,
    Workers,
)
from spacrd_cli.settings import DEFAULT_ENCODER, EncoderSettings, option_check
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.progress import duration
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.config import read_config
from spacrd_core.embedding.settings import Precision, Settings

if TYPE_CHECKING:
    from spacrd_core.embedding.embed import Report

SECTION_COLUMNS = ("section", "patches", Column("note", prose=True))


class EmbedConfig(PartSettings, ExecutorSettings):
    """Settings of ``spacrd embed``."""

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    device: str = Settings.device
    batch_size: int = Field(Settings.batch_size, ge=1)
    precision: Precision = Settings.precision
    reader_threads: int = Field(
        Settings.reader_threads, ge=1, description="Threads that read the slide while the encoder runs."
    )
    compiled: bool = Field(Settings.compiled, description="Compile the network: slow to start, then faster on CUDA.")


def embed(
    store: Store,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="Image encoder.", show_default="uni")] = None,
    section: Sections = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="File with the encoder's weights.")] = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Patches per forward pass on CUDA.", show_default="64")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="auto|fp32|bf16|fp16",
            help="Numeric precision; auto: the encoder's own on CUDA, fp32 on a CPU.",
            show_default="auto",
        ),
    ] = None,
    executor: Executor = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Process every N-th shard from the I-th, for array jobs.", show_default="all"),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Recompute existing embeddings; the old ones are kept until the new ones are complete."
        ),
    ] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    dry_run: DryRun = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Compute an embedding of the H&E patch around every spot."""
    out = Output(json=json, quiet=quiet, wide=wide)
    flags = {
        "encoder.name": encoder,
        "encoder.weights": str(weights.absolute()) if weights else None,  # workers may run in another folder
        "device": device,
        "batch_size": batch_size,
        "precision": precision,
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        "part": part,
    }
    plugins = load_components(out)
    checks = {"encoder": option_check(plugins.encoders, DEFAULT_ENCODER)}
    settings = read_config(EmbedConfig, config, set_ or (), flags, checks)
    out.info(f"embedding the sections of {store} with {settings.encoder.name}")
    settings.start_workers("spacrd_core.embedding.shard_task")
    from spacrd_core import SpotStore  # imports torch
    from spacrd_core import embed as embed_in
    from spacrd_core.devices import choose_device

    target = SpotStore.open(store)
    if not settings.scheduler:  # the workers of a cluster have their own devices
        choose_device(settings.device)
    shared: dict[str, Any] = {
        "options": settings.encoder.options,
        "sections": section,
        "settings": Settings(**settings.model_dump(include={field.name for field in fields(Settings)})),
        "part": settings.chosen_part,
        "again": again,
        "plugins": plugins,
    }
    if dry_run:
        from spacrd_core.dry_run.embed import plan_embed

        with suggest_encoders(plugins.encoders, settings.encoder):
            plan = plan_embed(target, settings.encoder.name, elsewhere=bool(settings.scheduler), **shared)
        show_plan(out, plan)
        return
    with suggest_encoders(plugins.encoders, settings.encoder):
        report = embed_in(
            target,
            settings.encoder.name,
            executor=settings.make_executor(),
            on_warning=out.warn,
            track=out.track,
            **shared,
        )
    _show(out, plugins.encoders.canonical(settings.encoder.name), report)


def _show(out: Output, name: str, report: Report) -> None:
    rate = report.patches / report.wall_seconds if report.patches else None
    document = {
        "encoder": name,
        "patches": report.patches,
        "patches_per_second": rate,
        "wall_seconds": report.wall_seconds,
        "seconds": report.seconds,
        "sections": {item.section: asdict(item) for item in report.sections},
        "failures": [],
    }
    rows = [[item.section, item.patches, item.note] for item in report.sections]
    out.result(document, *([FittedTable(SECTION_COLUMNS, rows)] if rows else []))
    if not rows:
        out.info("this part contains no shard")
    if rate:
        parts = ", ".join(f"{part} {spent:.1f} s" for part, spent in report.seconds.items())
        out.info(f"{report.patches} patches in {duration(report.wall_seconds)}, {rate:.0f} patches/s ({parts})")
