"""The folder that the relative paths of a command refer to; a worker may run in another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class WorkingFolder:
    """The folder where a command was started, to be sent with its tasks."""

    path: Path = field(default_factory=Path.cwd)

    def find(self, path: Path) -> Path:
        """Return a path that a worker finds: as it was given, or absolute if the worker runs in another folder."""
        return path if Path.cwd() == self.path else self.path / path
