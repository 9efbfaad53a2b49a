"""All commands from a cohort to exported files, in one process that a variant shapes."""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import asdict, dataclass
from json import dumps, loads
from pathlib import Path

import torch

from spacrd_cli.main import run

COHORT, STORE, DETECTOR, RESULTS, EXPORTS = "cohort.csv", "store", "detector", "results", "exports"
CPU = ("--device", "cpu")  # on CUDA the last bits of embeddings depend on the batch size
SHORT = ("--seeds", "2", "--epochs", "align=1", "--epochs", "reconstruct=1", "--epochs", "detect=2")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user may choose without changing a result.

    Attributes
    ----------
    executor
        Options of every command.
    batch
        Options of ``embed`` and ``detect``.
    backwards
        Whether sections are ingested, and named on the command line, in reverse order.
    threads
        Of PyTorch; 0 leaves them to it.
    umask
        As in octal; empty for that of the caller.
    """

    executor: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    backwards: bool = False
    threads: int = 0
    umask: str = ""


def commands(cohort: Path, store: str, folder: str, choices: Choices) -> list[list[str]]:
    """Return the command lines from a cohort to files, which are written into a folder."""
    with cohort.open(encoding="utf-8") as stream:
        names = [row["name"] for row in csv.DictReader(stream)]
    sections = [part for name in names for part in ("--section", name)]
    detector = f"{folder}/{DETECTOR}"
    stain = ["--encoder", "stain"]
    lines = [
        ["ingest", store, "--cohort", str(cohort)],
        ["embed", store, *stain, *sections, *choices.batch, *CPU],
        ["train", store, "-o", detector, *stain, *sections, *SHORT, *CPU],
        ["detect", store, detector, "-o", f"{folder}/{RESULTS}", *sections, *choices.batch, *CPU],
        ["export", store, "--format", "csv", "-o", f"{folder}/{EXPORTS}", *sections],
    ]
    return [[*line, "-q", *choices.executor] for line in lines]


def write_backwards(cohort: Path, target: Path) -> Path:
    """Write the table of a cohort with its sections in reverse order, and return it."""
    header, *rows = cohort.read_text(encoding="utf-8").splitlines()
    target.write_text("\n".join([header, *reversed(rows), ""]), encoding="utf-8")
    return target


def run_chain(cohort: Path, store: str, folder: str, choices: Choices) -> None:
    """Run the commands; the first that fails ends the process with its status."""
    if choices.umask:
        os.umask(int(choices.umask, 8))
    if choices.threads:
        torch.set_num_threads(choices.threads)
    for line in commands(cohort, store, folder, choices):
        if status := run(line):
            sys.exit(f"{' '.join(line)}: status {status}")


def command(cohort: Path, store: str, folder: str, choices: Choices) -> list[str]:
    """Return the command that runs the chain in a process of its own."""
    return [sys.executable, __file__, str(cohort), store, folder, dumps(asdict(choices))]


if __name__ == "__main__":
    run_chain(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Choices(**loads(sys.argv[4])))
