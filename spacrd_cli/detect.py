"""``spacrd detect``: a detector on sections it may never have seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from spacrd_cli.hub import say_origin
from spacrd_cli.options import ConfigFile, DetectorFolder, Device, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.output import Output, table
from spacrd_core.config import CommandConfig, read_config

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("section", "spots", "cancer", "normal", "uncertain", "mean probability", "beyond training", "genes", "image")


class DetectConfig(CommandConfig):
    """Settings of ``spacrd detect``."""

    device: str = "auto"
    batch_size: int = Field(4096, ge=1)


def detect(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where to write the files.")
    ] = None,
    section: Sections = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Spots scored at a time: bounds memory.", show_default="4096")
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give every spot a calibrated probability of cancer, and write what other tools open."""
    out = Output(json=json, quiet=quiet)
    settings = read_config(DetectConfig, config, set_ or (), {"device": device, "batch_size": batch_size})
    from spacrd_core import steps  # torch arrives here, not sooner
    from spacrd_core.detector.artifact import Detector
    from spacrd_core.detector.hub import find_detector
    from spacrd_core.devices import choose_device
    from spacrd_core.plugins import load_plugins
    from spacrd_core.results.collect import provenance, section_result
    from spacrd_core.results.write import write_results
    from spacrd_core.store.store import SpotStore

    target, plugins, chosen = SpotStore.open(store), load_plugins(), choose_device(settings.device)
    found = find_detector(detector, track=out.track)
    loaded = Detector.load(found.folder, heads=plugins.heads, device=chosen)
    say_origin(out, found)
    tables = steps.detect(
        target,
        loaded,
        plugins=plugins,
        device=chosen,
        sections=section or (),
        batch_size=settings.batch_size,
        track=out.track,
    )
    if output:
        results = (section_result(target, name, spots, loaded.config) for name, spots in tables.items())
        write_results(output, results, provenance(loaded.config, found.facts), track=out.track)
        out.say(f"written to {output}: open {output / 'report.html'} in a browser")
    out.result(
        {name: _document(spots) for name, spots in tables.items()},
        table(COLUMNS, map(_row, *zip(*tables.items(), strict=True))),
    )


def _document(spots: pd.DataFrame) -> dict[str, object]:
    counts = {label: int((spots["label"] == label).sum()) for label in ("cancer", "normal", "uncertain")}
    return {
        "spots": len(spots),
        **counts,
        "mean_probability": float(spots["probability"].mean()),
        "beyond_training": float((spots["ood"] > 1).mean()),
        "gene_coverage": float(spots["gene_coverage"].mean()),
        "image_coverage": float(spots["image_coverage"].mean()),
    }


def _row(section: str, spots: pd.DataFrame) -> list[object]:
    return [section, *_document(spots).values()]
