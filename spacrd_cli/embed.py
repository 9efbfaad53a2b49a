"""``spacrd embed``: H&E patches into one embedding a spot."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field

from spacrd_cli.options import ConfigFile, Device, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.output import Output, table
from spacrd_cli.settings import EncoderSettings
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.embedding.engine import Embedded

COLUMNS = ("section", "patches", "seconds", "note")


class EmbedConfig(CommandConfig):
    """Settings of ``spacrd embed``."""

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    device: str = "auto"
    batch_size: int = Field(64, ge=1)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    executor: Literal["serial", "processes", "dask"] = "serial"
    workers: int = Field(1, ge=1)
    scheduler: str = ""
    part: str = ""


def embed(
    store: Store,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="The image encoder.", show_default="uni")] = None,
    section: Sections = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The encoder's weights, from a file.")] = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Patches a forward pass.", show_default="64")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="auto|fp32|bf16|fp16", help="Of the arithmetic; auto or fp32 so far.", show_default="auto"
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(metavar="serial|processes|dask", help="What runs it; serial so far.", show_default="serial"),
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; 1 so far.", show_default="1")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster (not there yet).")] = None,
    part: Annotated[str | None, typer.Option(metavar="I/N", help="A part, for array jobs (not there yet).")] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Embed the H&E round every spot, by an encoder chosen by name."""
    out = Output(json=json, quiet=quiet)
    flags = {
        "encoder.name": encoder,
        "encoder.weights": str(weights) if weights else None,
        "device": device,
        "batch_size": batch_size,
        "precision": precision,
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        "part": part,
    }
    settings = read_config(EmbedConfig, config, set_ or (), flags)
    from spacrd_core.devices import choose_device  # torch arrives here, not sooner
    from spacrd_core.embedding.engine import embed as embed_sections
    from spacrd_core.plugins import load_plugins
    from spacrd_core.store.store import SpotStore

    target, encoders = SpotStore.open(store), load_plugins().encoders
    chosen = choose_device(settings.device)
    _refuse_what_is_not_there_yet(settings, chosen.type)
    name = encoders.canonical(settings.encoder.name)
    model = encoders.create(name, settings.encoder.options).to(chosen)
    report = embed_sections(
        target, name, model, sections=section or (), device=chosen, batch_size=settings.batch_size, track=out.track
    )
    _show(out, name, report)


def _refuse_what_is_not_there_yet(settings: EmbedConfig, device: str) -> None:
    there: dict[str, tuple[object, ...]] = {
        "precision": ("auto", "fp32") if device == "cpu" else ("auto",),
        "executor": ("serial",),
        "workers": (1,),
        "scheduler": ("",),
        "part": ("",),
    }
    asked = [f"--{key} {value}" for key, value in settings if key in there and value not in there[key]]
    if asked:
        raise ConfigError("; ".join(f"{flag} is not there yet" for flag in asked), hint="run without it")


def _show(out: Output, name: str, report: Sequence[Embedded]) -> None:
    from spacrd_core.embedding.engine import seconds_by_part

    seconds = seconds_by_part(report)
    patches = sum(item.patches for item in report)
    total = sum(seconds.values())
    rows = [[item.section, item.patches, sum(item.seconds.values()) or None, item.note] for item in report]
    document = {"encoder": name, "patches": patches, "seconds": seconds, "sections": [asdict(item) for item in report]}
    out.result(document, table(COLUMNS, rows))
    if total:
        parts = ", ".join(f"{part} {spent:.1f} s" for part, spent in seconds.items())
        out.say(f"{patches} patches, {patches / total:.0f} patches/s ({parts})")
