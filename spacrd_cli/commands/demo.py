"""``spacrd demo``: run the four commands on a small synthetic cohort of three platforms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.commands.detect import detect
from spacrd_cli.commands.embed import embed
from spacrd_cli.commands.ingest import ingest
from spacrd_cli.commands.train import train
from spacrd_cli.options import Quiet
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import InputError
from spacrd_core.outputs import require_outside, require_room
from spacrd_core.system_errors import explained

TARGET = "S5"
DEMO_BYTES = 50_000_000
UNFINISHED = "unfinished.txt"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="New folder for all files of the demo.")] = Path(
        "spacrd-demo"
    ),
    quiet: Quiet = False,
) -> None:
    """Train on synthetic ST and Visium sections, detect in a Xenium section, and report the AUC."""
    require_outside(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"the demo needs a folder, but {folder} is a file", hint="name another folder: spacrd demo DIR"
        )
    unfinished = folder / UNFINISHED
    if folder.exists() and any(folder.iterdir()) and not unfinished.exists():
        raise InputError(f"{folder} is not empty", hint="name another folder: spacrd demo DIR")
    from spacrd_core.demo.cohort import write_demo_cohort
    from spacrd_core.demo.truth import labelled_auc
    from spacrd_core.store.store import SpotStore

    out = Output(quiet=quiet)
    require_room(folder, DEMO_BYTES)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_text("spacrd demo was interrupted; the same command finishes it\n")
        cohort = write_demo_cohort(folder / "cohort")
    store, detector, results = folder / "store", folder / "detector", folder / "results"
    _announce(out, f"spacrd ingest {store} --cohort {cohort}")
    ingest(store, cohort=cohort, quiet=quiet)
    _announce(out, f"spacrd embed {store} --encoder stain")
    embed(store, encoder="stain", quiet=quiet)
    _announce(out, f"spacrd train {store} -o {detector} --encoder stain --exclude {TARGET}")
    train(store, output=detector, encoder="stain", exclude=[TARGET], replace=True, quiet=quiet)
    _announce(out, f"spacrd detect {store} {detector} --section {TARGET} -o {results}")
    detect(store, str(detector), output=results, section=[TARGET], quiet=quiet)
    unfinished.unlink()
    result = labelled_auc(SpotStore.open(store), TARGET)
    out.result(
        {},
        f"\n{TARGET} is from a patient and a platform (Xenium) that were not in the training data, and its cell types "
        f"were not used. On this synthetic tissue the detector separates the {result.cancer} spots of mostly cancer "
        f"cells from the other {result.spots - result.cancer} with an AUC of {result.auc:.3f}.\n"
        f"Report: {results / 'report.html'}",
    )


def _announce(out: Output, command: str) -> None:
    out.info(f"\n$ {command}")
