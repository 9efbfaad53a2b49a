"""The display of ``spacrd train``: the losses of each epoch, and the AUC of each held-out patient."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from spacrd_core.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from spacrd_cli.terminal.output import Output
    from spacrd_core.model.calibrated_ensemble import TrainingEvent

LINE_INTERVAL_S = 10.0  # between plain lines about epochs


@contextmanager
def training_view(out: Output, *, stages: int) -> Iterator[Callable[[TrainingEvent], None]]:
    """Yield a handler of training events: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""
    if out.quiet:
        yield lambda _: None
    elif out.console.is_interactive:
        bars = TrainingBars(out.console, stages)
        try:
            yield bars
        finally:
            bars.close()
    else:
        from spacrd_core.model.calibrated_ensemble import ALL_PATIENTS

        yield TrainingLines(out.info, final_stage=ALL_PATIENTS)


class TrainingBars:
    """One bar for the whole training, one per model in training, and a permanent line per held-out patient."""

    def __init__(self, console: Console, stages: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[losses]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            console=console,
            expand=True,
            transient=True,
        )
        self._held_out = HeldOutAucs()
        self._overall = self._progress.add_task("models trained", total=stages, losses="")
        self._running: dict[str, TaskID] = {}

    def __call__(self, event: TrainingEvent) -> None:
        self._progress.start()
        if event.epoch is None:
            self._end(event.stage)
            self._progress.console.print(Text(printable(self._held_out.record(event))))
            return
        if event.stage not in self._running:
            self._running[event.stage] = self._progress.add_task("", losses="")
        self._progress.update(
            self._running[event.stage],
            description=printable(f"{event.stage}: {event.epoch.phase}"),
            completed=event.epoch.number,
            total=event.epoch.epochs,
            losses=losses(event),
        )

    def close(self) -> None:
        """Remove the bars from the screen."""
        self._progress.stop()

    def _end(self, stage: str) -> None:
        self._progress.advance(self._overall)
        if stage in self._running:
            self._progress.remove_task(self._running.pop(stage))


class TrainingLines:
    """One line per held-out patient and per phase of the final stage, and one per epoch every few seconds."""

    def __init__(self, write: Callable[[str], None], *, final_stage: str, seconds: float = LINE_INTERVAL_S) -> None:
        self._write, self._final_stage, self._seconds = write, final_stage, seconds
        self._held_out = HeldOutAucs()
        self._last_line = time.monotonic()

    def __call__(self, event: TrainingEvent) -> None:
        epoch, now = event.epoch, time.monotonic()
        if epoch is None:
            self._write(self._held_out.record(event))
        elif now - self._last_line >= self._seconds or (
            event.stage == self._final_stage and epoch.number == epoch.epochs
        ):
            self._write(f"{event.stage}: {epoch.phase}, epoch {epoch.number} of {epoch.epochs}: {losses(event)}")
        else:
            return
        self._last_line = now


class HeldOutAucs:
    """The AUCs of the patients that were held out so far."""

    def __init__(self) -> None:
        self._aucs: list[float] = []

    def record(self, event: TrainingEvent) -> str:
        """Return a sentence with the AUC of the last patient and the mean so far."""
        if event.held_out_auc is None:
            return f"{event.stage}: held out, no AUC because only one class is labelled"
        self._aucs.append(event.held_out_auc)
        mean = f" (mean of {len(self._aucs)}: {sum(self._aucs) / len(self._aucs):.3f})" if len(self._aucs) > 1 else ""
        return f"{event.stage}: held-out AUC before modality weighting {event.held_out_auc:.3f}{mean}"


def losses(event: TrainingEvent) -> str:
    """Return the loss of an epoch, with its terms if there are several."""
    terms = dict(event.epoch.losses) if event.epoch else {}
    total = f"loss {sum(terms.values()):.3f}"
    return f"{total}: {', '.join(f'{name} {value:.3f}' for name, value in terms.items())}" if len(terms) > 1 else total
