"""The plan of a command: what is left to do, the disk space that it takes, and the time where that can be estimated."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Work = Literal["to do", "done", "not used"]

NOTHING_LEFT = "nothing is left to do"


@dataclass(frozen=True)
class Item:
    """A section, what is to be done for it, a remark, and the bytes that the result takes."""

    section: str
    work: Work
    note: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Space:
    """The bytes that a command writes into a folder, and those that are free there."""

    folder: str
    bytes: int
    free_bytes: int

    @classmethod
    def below(cls, folder: Path, size: float) -> Self:
        """Return the space for a number of bytes in a folder, which need not exist."""
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        return cls(str(folder), round(size), shutil.disk_usage(existing).free)


@dataclass(frozen=True)
class Duration:
    """An estimate in seconds and what it rests on; None, and why it is unknown."""

    seconds: float | None
    basis: str

    @classmethod
    def total(cls, parts: Iterable[Duration]) -> Self:
        """Return the time of several pieces of work; unknown if that of one is."""
        durations = [part for part in parts if part.seconds != 0] or [cls(0.0, NOTHING_LEFT)]
        unknown = [part.basis for part in durations if part.seconds is None]
        if unknown:
            return cls(None, "; ".join(dict.fromkeys(unknown)))
        bases = dict.fromkeys(part.basis for part in durations)
        return cls(sum(part.seconds or 0.0 for part in durations), "; ".join(bases))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a step would do.

    ``tasks`` is the number of its independent tasks and ``unit`` their name, in the plural; an executor divides them.
    """

    step: str
    items: tuple[Item, ...]
    tasks: int
    unit: str
    space: tuple[Space, ...]
    time: Duration
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return the plan as JSON-able values."""
        return {
            "step": self.step,
            "sections": {item.section: asdict(item) for item in self.items},
            "tasks": self.tasks,
            "unit": self.unit,
            "space": [asdict(each) for each in self.space],
            "seconds": self.time.seconds,
            "basis": self.time.basis,
            "notes": list(self.notes),
        }

    @property
    def missing_space(self) -> Iterable[str]:
        """Sentences about folders that have not enough free space."""
        for space in self.space:
            if space.bytes > space.free_bytes:
                yield f"the disk of {space.folder} has too little free space"
