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
    """A command; its words are relative to a folder with a cohort, a store and a detector."""

    name: str
    words: tuple[str, ...]
    workers: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()  # from the folder, so that there is something to do
    signals: int = 8  # in the full setting

    @property
    def arguments(self) -> list[str]:
        """All words of the command."""
        return [*self.words, *self.workers]


TRAIN = ("train", "store", "-o", "detector", "--replace", "--encoder", "stain", "--head", "linear", "--seeds", "1")
EMBED = ("embed", "store", "--encoder", "stain")
CASES = (
    Case("version", ("--version",), signals=30),
    Case("plugins", ("plugins",), signals=20),
    Case("store ls", ("store", "ls", "store"), signals=30),
    Case("store show", ("store", "show", "store"), signals=20),
    Case("ingest", ("ingest", "store", "--cohort", "cohort/cohort.csv"), TWO, removed=("store",)),
    Case("embed", EMBED, TWO, removed=("store/embeddings",)),
    Case("embed in one process", EMBED, removed=("store/embeddings",)),
    Case("embed with Dask", EMBED, CLUSTER, removed=("store/embeddings",)),
    Case("train", TRAIN, TWO, signals=12),
    Case("train in one process", TRAIN),
    Case("detect", ("detect", "store", "detector", "-o", "out"), TWO),
    Case("call", ("call", "cohort/S1", "-o", "out", "--no-image"), TWO),
)


def write_folder(folder: Path) -> Path:
    """Write a cohort of two patients, a store that has embeddings, and a detector."""
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "st"))
    store, detector = str(folder / "store"), str(folder / "detector")
    assert run(["ingest", store, "--cohort", str(cohort), "-q"]) == 0
    assert run([EMBED[0], store, *EMBED[2:], "-q"]) == 0
    assert run([TRAIN[0], store, TRAIN[2], detector, *TRAIN[4:], "-q"]) == 0
    return folder


def prepare(case: Case, folder: Path, like: Path) -> None:
    """Copy a folder for a command, without what it makes, and with a folder for temporary files."""
    shutil.copytree(like, folder)
    for name in case.removed:
        shutil.rmtree(folder / name)
    (folder / "tmp").mkdir()


def temporary(folder: Path) -> Iterator[Path]:
    """Yield the temporary files and folders that are left in a command's folder."""
    yield from (folder / "tmp").iterdir()
    yield from folder.rglob(".spacrd-*")
