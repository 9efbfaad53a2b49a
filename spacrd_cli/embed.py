"""``spacrd embed``: H&E patches into one embedding a spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field

from spacrd_cli.options import ConfigFile, Device, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.output import Output
from spacrd_core.config import CommandConfig, ComponentSettings, read_config


class EmbedConfig(CommandConfig):
    """Settings of ``spacrd embed``."""

    encoder: ComponentSettings = ComponentSettings(name="uni")
    device: str = "auto"
    batch_size: int = Field(64, ge=1)


def embed(
    store: Store,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="The image encoder.", show_default="uni")] = None,
    section: Sections = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The encoder's weights, from a file.")] = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Patches a forward pass.", show_default="64")
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
        "encoder.weights": str(weights) if weights else None,
        "device": device,
        "batch_size": batch_size,
    }
    settings = read_config(EmbedConfig, config, set_ or (), flags)
    from spacrd_core.embedding.engine import embed as embed_sections

    from spacrd_core.devices import choose_device  # torch arrives here, not sooner
    from spacrd_core.plugins import load_plugins
    from spacrd_core.store.store import SpotStore

    target = SpotStore.open(store)
    chosen = choose_device(settings.device)
    name = settings.encoder.name
    model = load_plugins().encoders.create(name, settings.encoder.options).to(chosen)
    report = embed_sections(
        target, name, model, sections=section, device=chosen, batch_size=settings.batch_size, track=out.track
    )
    _show(out, report)
