"""``spacrd embed``: H&E patches into one embedding a spot."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field, ValidationInfo, field_validator

from spacrd_cli.commands.default_encoder import explaining_the_default
from spacrd_cli.options import ConfigFile, Device, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.settings import EncoderSettings
from spacrd_cli.terminal.output import Output, table
from spacrd_cli.terminal.progress import duration
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.embedding.parts import Part
from spacrd_core.embedding.settings import Precision, Settings

if TYPE_CHECKING:
    from spacrd_core.embedding.embed import Report
    from spacrd_core.embedding.executors.serial import Executor

COLUMNS = ("section", "patches", "note")


class EmbedConfig(CommandConfig):
    """Settings of ``spacrd embed``."""

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    device: str = Settings.device
    batch_size: int = Field(Settings.batch_size, ge=1)
    precision: Precision = Settings.precision
    readers: int = Field(Settings.readers, ge=1, description="Threads that read the slide while the encoder works.")
    compiled: bool = Field(Settings.compiled, description="Compile the network: slow at first, then faster on CUDA.")
    executor: Literal["serial", "processes", "dask"] = "serial"
    workers: int | None = Field(None, ge=1)
    scheduler: str = ""
    part: str = "1/1"

    @field_validator("workers")
    @classmethod
    def _workers_are_started_here(cls, workers: int | None, info: ValidationInfo) -> int | None:
        if workers and workers > 1 and info.data.get("executor") == "serial":
            raise ValueError("serial has one worker; choose --executor processes or dask")
        return workers

    @field_validator("scheduler")
    @classmethod
    def _only_dask_has_a_scheduler(cls, scheduler: str, info: ValidationInfo) -> str:
        if scheduler and info.data.get("executor", "dask") != "dask":
            raise ValueError("only Dask has a scheduler; choose --executor dask")
        if scheduler and info.data.get("workers"):
            raise ValueError("a scheduler has its workers already; leave --workers out")
        return scheduler

    @field_validator("part")
    @classmethod
    def _is_a_part(cls, part: str) -> str:
        Part.parse(part)
        return part


def embed(
    store: Store,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="The image encoder.", show_default="uni")] = None,
    section: Sections = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The encoder's weights, from a file.")] = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Patches at a time, on CUDA.", show_default="64")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="auto|fp32|bf16|fp16",
            help="Of the arithmetic; auto: the encoder's own on CUDA, fp32 on a CPU.",
            show_default="auto",
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="serial|processes|dask",
            help="What runs it: this process, several (one a GPU), or a Dask cluster.",
            show_default="serial",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes to start.", show_default="one a GPU, or one for 4 cores"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of a Dask cluster that is there already.", show_default="a new one here"),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Do every N-th shard from the I-th, for array jobs.", show_default="all"),
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Embed the H&E round every spot, by an encoder chosen by name."""
    out = Output(json=json, quiet=quiet)
    flags = {
        "encoder.name": encoder,
        "encoder.weights": str(weights.absolute()) if weights else None,  # workers may live in another folder
        "device": device,
        "batch_size": batch_size,
        "precision": precision,
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        "part": part,
    }
    asked = read_config(EmbedConfig, config, set_ or (), flags)
    from spacrd_core import SpotStore  # torch arrives here, not sooner
    from spacrd_core import embed as embed_in
    from spacrd_core.devices import choose_device
    from spacrd_core.plugins import load_plugins

    target, plugins = SpotStore.open(store), load_plugins()
    if not asked.scheduler:  # a cluster's workers have devices of their own
        choose_device(asked.device)
    with explaining_the_default(plugins.encoders, asked.encoder):
        report = embed_in(
            target,
            asked.encoder.name,
            options=asked.encoder.options,
            sections=section,
            settings=Settings(**asked.model_dump(include={field.name for field in fields(Settings)})),
            executor=_executor(asked),
            part=Part.parse(asked.part),
            plugins=plugins,
            track=out.track,
        )
    _show(out, plugins.encoders.canonical(asked.encoder.name), report)


def _executor(asked: EmbedConfig) -> Executor:
    if asked.executor == "dask":
        from spacrd_core.embedding.executors.dask import Dask

        return Dask(asked.scheduler, asked.workers or 0)
    if asked.executor == "processes":
        from spacrd_core.embedding.executors.processes import Processes

        return Processes(asked.workers or 0)
    from spacrd_core.embedding.executors.serial import Serial

    return Serial()


def _show(out: Output, name: str, report: Report) -> None:
    pace = report.patches / report.wall_seconds if report.patches else None
    document = {
        "encoder": name,
        "patches": report.patches,
        "patches_per_second": pace,
        "wall_seconds": report.wall_seconds,
        "seconds": report.seconds,
        "sections": [asdict(item) for item in report.sections],
    }
    rows = [[item.section, item.patches, item.note] for item in report.sections]
    out.result(document, *([table(COLUMNS, rows)] if rows else []))
    if not rows:
        out.say("nothing in this part")
    if pace:
        parts = ", ".join(f"{part} {spent:.1f} s" for part, spent in report.seconds.items())
        out.say(f"{report.patches} patches in {duration(report.wall_seconds)}, {pace:.0f} patches/s ({parts})")
