"""Write a proposed alignment: a matrix as Xenium Explorer exports it, and a picture for whoever checks it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

from spacrd_core.cards import fingerprint
from spacrd_core.files import publish
from spacrd_readers.xenium.registration.picture import write_picture

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.register import Registration

VERSION = 1  # increase it when the same alignment should give another picture


def write_draft(drafts: Path, matrix: Array, shown: tuple[NuclearDensity, Array, Registration]) -> Path:
    """Write ``alignment.csv`` and ``alignment.png`` into a folder of ``drafts`` that is named after them; return it."""
    text = "".join(",".join(f"{number:.10g}" for number in row) + "\n" for row in matrix)
    registration = shown[2]
    name = fingerprint([VERSION, text, f"{registration.score:.4f}", f"{registration.runner_up:.4f}"])
    staged = drafts / f".tmp-{uuid4().hex}"
    staged.mkdir(parents=True)
    try:
        (staged / "alignment.csv").write_text(text, encoding="utf-8")
        write_picture(*shown, staged / "alignment.png")
        publish(staged, drafts / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return drafts / name
