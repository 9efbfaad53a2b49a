"""The commands that signals are sent to, and where they work."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort

TWO = ("--executor", "processes", "--workers", "2")
CLUSTER = ("--executor", "dask", "--workers", "2")


@dataclass(frozen=True)
class Case:
    """A command; its words are relative to a folder with a cohort, stores and a detector."""

    name: str
    words: tuple[str, ...]
    workers: tuple[str, ...] = ()
    signals: int = 8  # in the full setting

    @property
    def arguments(self) -> list[str]:
        """All words of the command."""
        return [*self.words, *self.workers]


TRAIN = ("train", "store", "-o", "detector", "--replace", "--encoder", "stain", "--head", "linear", "--seeds", "1")
EMBED = ("embed", "plain", "--encoder", "stain")
CASES = (
    Case("version", ("--version",), signals=30),
    Case("plugins", ("plugins",), signals=20),
    Case("store ls", ("store", "ls", "store"), signals=30),
    Case("store show", ("store", "show", "store"), signals=20),
    Case("ingest", ("ingest", "new", "--cohort", "cohort/cohort.csv"), TWO),
    Case("embed", EMBED, TWO),
    Case("embed in one process", EMBED),
    Case("embed with Dask", EMBED, CLUSTER),
    Case("train", TRAIN, TWO, signals=12),
    Case("train in one process", TRAIN),
    Case("detect", ("detect", "store", "detector", "-o", "out"), TWO),
    Case("call", ("call", "--cohort", "cohort/cohort.csv", "-o", "out", "--no-image"), TWO),
)


def write_folder(folder: Path) -> Path:
    """Write a cohort of two patients, a plain store, one that has embeddings, and a detector."""
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "st"))
    store, detector = str(folder / "store"), str(folder / "detector")
    assert run(["ingest", store, "--cohort", str(cohort), "-q"]) == 0
    shutil.copytree(store, folder / "plain")
    assert run(["embed", store, *EMBED[2:], "-q"]) == 0
    assert run(["train", store, "-o", detector, *TRAIN[4:], "--set", "calibrate=false", "-q"]) == 0
    return folder


def prepare(folder: Path, like: Path) -> None:
    """Copy a folder for a command, with another one for temporary files."""
    shutil.copytree(like, folder)
    (folder / "tmp").mkdir()


def temporary(folder: Path) -> Iterator[Path]:
    """Yield the temporary files and folders that are left in a command's folder."""
    yield from (folder / "tmp").iterdir()
    yield from folder.rglob(".spacrd-*")
