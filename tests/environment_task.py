"""A task that shows where it runs. Worker processes import it: they do not find the modules of tests."""

import os
from dataclasses import dataclass

from spacrd_core.executors.task import Worker


@dataclass(frozen=True)
class Variable:
    """A task that reads a variable of its worker's environment, and tells the worker and the parent of it."""

    name: str

    def run(self, _: Worker) -> tuple[str, int, int]:
        return os.environ.get(self.name, ""), os.getpid(), os.getppid()
