"""``spacrd demo``: the four commands on a small synthetic cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.detect import detect
from spacrd_cli.embed import embed
from spacrd_cli.ingest import ingest
from spacrd_cli.options import Quiet
from spacrd_cli.output import Output
from spacrd_cli.train import train
from spacrd_core.errors import InputError

TARGET = "S4"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A new folder for everything the demo makes.")] = Path(
        "spacrd-demo"
    ),
    quiet: Quiet = False,
) -> None:
    """Write a synthetic cohort, then ingest, embed, train and detect, and say where the report is."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty", hint="spacrd demo OTHER_FOLDER, or remove it")
    from spacrd_core.demo.cohort import write_demo_cohort

    out = Output(quiet=quiet)
    cohort = write_demo_cohort(folder / "cohort")
    store, detector, results = folder / "store", folder / "detector", folder / "results"
    _announce(out, f"spacrd ingest {store} --cohort {cohort}")
    ingest(store, cohort=cohort, quiet=quiet)
    _announce(out, f"spacrd embed {store} --encoder stain")
    embed(store, encoder="stain", quiet=quiet)
    _announce(out, f"spacrd train {store} -o {detector} --encoder stain --exclude {TARGET}")
    train(store, output=detector, encoder="stain", exclude=[TARGET], quiet=quiet)
    _announce(out, f"spacrd detect {store} {detector} --section {TARGET} -o {results}")
    detect(store, str(detector), output=results, section=[TARGET], quiet=quiet)
    out.result({}, f"\nThe report of section {TARGET}, whose patient the detector never saw: {results / 'report.html'}")


def _announce(out: Output, command: str) -> None:
    out.say(f"\n$ {command}")
