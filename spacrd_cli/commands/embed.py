"""``spacrd embed``: compute one image embedding per spot."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field, ValidationInfo, field_validator

from spacrd_cli.commands.default_encoder import suggest_encoders
from spacrd_cli.options import ConfigFile, Device, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.settings import DEFAULT_ENCODER, EncoderSettings, option_check
from spacrd_cli.terminal.output import Output, table
from spacrd_cli.terminal.progress import duration
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.embedding.parts import Part
from spacrd_core.embedding.settings import Precision, Settings
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from spacrd_core.embedding.embed import Report
    from spacrd_core.embedding.executors.pool import Executor

SECTION_COLUMNS = ("section", "patches", "note")


class EmbedConfig(CommandConfig):
    """Settings of ``spacrd embed``."""

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    device: str = Settings.device
    batch_size: int = Field(Settings.batch_size, ge=1)
    precision: Precision = Settings.precision
    reader_threads: int = Field(
        Settings.reader_threads, ge=1, description="Threads that read the slide while the encoder runs."
    )
    compiled: bool = Field(Settings.compiled, description="Compile the network: slow to start, then faster on CUDA.")
    executor: Literal["serial", "processes", "dask"] = "serial"
    workers: int | None = Field(None, ge=1)
    scheduler: str = ""
    part: str = "1/1"

    @field_validator("workers")
    @classmethod
    def _check_workers(cls, workers: int | None, info: ValidationInfo) -> int | None:
        if workers and workers > 1 and info.data.get("executor") == "serial":
            raise ValueError("serial has one worker; choose --executor processes or dask")
        return workers

    @field_validator("scheduler")
    @classmethod
    def _check_scheduler(cls, scheduler: str, info: ValidationInfo) -> str:
        if scheduler and info.data.get("executor", "dask") != "dask":
            raise ValueError("only Dask has a scheduler; choose --executor dask")
        if scheduler and info.data.get("workers"):
            raise ValueError("a scheduler has its own workers; leave out --workers")
        return scheduler

    @field_validator("part")
    @classmethod
    def _check_part(cls, part: str) -> str:
        Part.parse(part)
        return part


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
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="serial|processes|dask",
            help="Run in this process, in several, or on a Dask cluster.",
            show_default="serial",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of workers.", show_default="1 per GPU, or 1 per 4 cores"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address of a running Dask scheduler.", show_default="a new local cluster"
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Process every N-th shard from the I-th, for array jobs.", show_default="all"),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make embeddings anew that are done; the earlier ones stay until then.")
    ] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute an embedding of the H&E patch around every spot."""
    out = Output(json=json, quiet=quiet)
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
    plugins = load_plugins()
    checks = {"encoder": option_check(plugins.encoders, DEFAULT_ENCODER)}
    settings = read_config(EmbedConfig, config, set_ or (), flags, checks)
    from spacrd_core import SpotStore  # imports torch
    from spacrd_core import embed as embed_in
    from spacrd_core.devices import choose_device

    target = SpotStore.open(store)
    if not settings.scheduler:  # the workers of a cluster have their own devices
        choose_device(settings.device)
    with suggest_encoders(plugins.encoders, settings.encoder):
        report = embed_in(
            target,
            settings.encoder.name,
            options=settings.encoder.options,
            sections=section,
            settings=Settings(**settings.model_dump(include={field.name for field in fields(Settings)})),
            executor=_executor(settings),
            part=Part.parse(settings.part),
            again=again,
            plugins=plugins,
            on_warning=out.warn,
            track=out.track,
        )
    _show(out, plugins.encoders.canonical(settings.encoder.name), report)


def _executor(settings: EmbedConfig) -> Executor:
    if settings.executor == "dask":
        from spacrd_core.embedding.executors.dask import Dask

        return Dask(settings.scheduler, settings.workers or 0)
    if settings.executor == "processes":
        from spacrd_core.embedding.executors.processes import Processes

        return Processes(settings.workers or 0)
    from spacrd_core.embedding.executors.serial import Serial

    return Serial()


def _show(out: Output, name: str, report: Report) -> None:
    rate = report.patches / report.wall_seconds if report.patches else None
    document = {
        "encoder": name,
        "patches": report.patches,
        "patches_per_second": rate,
        "wall_seconds": report.wall_seconds,
        "seconds": report.seconds,
        "sections": [asdict(item) for item in report.sections],
    }
    rows = [[item.section, item.patches, item.note] for item in report.sections]
    out.result(document, *([table(SECTION_COLUMNS, rows)] if rows else []))
    if not rows:
        out.info("this part contains no shard")
    if rate:
        parts = ", ".join(f"{part} {spent:.1f} s" for part, spent in report.seconds.items())
        out.info(f"{report.patches} patches in {duration(report.wall_seconds)}, {rate:.0f} patches/s ({parts})")
