"""How long a training still takes, from the models and epochs that are done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacrd_core.model.held_out_group import HeldOutGroup


@dataclass
class TrainingClock:
    """Measures the models of a training: those of the groups that are held out, and then the final one.

    ``groups`` are trained by this run, one after another or by several workers; ``kept`` ones were trained before.
    """

    groups: int
    kept: int = 0
    done: int = 0
    _began: float = field(default_factory=time.perf_counter)
    _first: float = 0.0

    @property
    def models(self) -> int:
        """The number of all models."""
        return self.groups + self.kept + 1

    @property
    def models_done(self) -> int:
        """The number of models that are done, or were kept."""
        return self.done + self.kept

    def record(self, group: HeldOutGroup) -> None:
        """Record that a group is done, or had been kept."""
        if group.kept:
            self.groups, self.kept = self.groups - 1, self.kept + 1
        else:
            self.done += 1
            self._first = self._first or self._elapsed()

    def begin_final(self) -> None:
        """Record that the final model begins; it is trained alone, whoever trained the others."""
        self._began, self.done = time.perf_counter(), self.groups

    def seconds_left(self, share: float = 0.0) -> float | None:
        """Return the seconds that are left if it goes on as before; None before anything is done.

        ``share`` is how much of the current model is done, if it is trained in this process.
        """
        is_final = self.done == self.groups and share > 0
        if is_final:
            return self._elapsed() * (1 - share) / share
        if not (done := self.done + share):
            return None
        pace = self._elapsed() / done
        return pace * (self.groups - done) + (self._first or pace)

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began
