"""The display of ``spacrd train``: the losses of each epoch, and the AUC of each held-out patient."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from spacrd_cli.terminal.progress import duration
from spacrd_core.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Task, TaskID

    from spacrd_cli.terminal.output import Output
    from spacrd_core.model.calibrated_ensemble import TrainingEvent

LINE_INTERVAL_S = 10.0  # between plain lines about epochs


@contextmanager
def training_view(out: Output, *, stages: int, on_workers: bool = False) -> Iterator[Callable[[TrainingEvent], None]]:
    """Yield a handler of training events: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``.

    With ``on_workers``, groups are held out by other processes, whose progress has a bar of its own.
    """
    if out.quiet:
        yield lambda _: None
    elif out.console.is_interactive:
        bars = TrainingBars(out.console, stages, on_workers=on_workers)
        try:
            yield bars
        finally:
            bars.close()
    else:
        from spacrd_core.model.calibrated_ensemble import ALL_PATIENTS

        yield TrainingLines(out.info, final_stage=ALL_PATIENTS)


@contextmanager
def telling_what_is_kept(
    out: Output, on_event: Callable[[TrainingEvent], None]
) -> Iterator[Callable[[TrainingEvent], None]]:
    """Yield the handler; if the training is interrupted, say how many groups are kept for the next."""
    done, groups = 0, 0

    def count(event: TrainingEvent) -> None:
        nonlocal done, groups
        groups = max(event.models - 1, 0)
        done += event.epoch is None
        on_event(event)

    try:
        yield count
    except KeyboardInterrupt:
        if done:
            out.info(f"{done} of {groups} held-out groups are done and kept")
        raise


class TrainingBars:
    """One bar for the whole training, one per model in training, and a permanent line per held-out patient."""

    def __init__(self, console: Console, stages: int, *, on_workers: bool = False) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _TimeLeft(),
            TextColumn("{task.fields[losses]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            console=console,
            expand=True,
            transient=True,
        )
        self._held_out = HeldOutAucs()
        self._overall = self._progress.add_task("models trained", total=stages, losses="", ends=None)
        self._running: dict[str, TaskID] = {}
        self._on_workers = on_workers

    def __call__(self, event: TrainingEvent) -> None:
        if event.epoch or not self._on_workers:
            self._progress.start()
        if event.models:
            ends = None if event.seconds_left is None else time.monotonic() + event.seconds_left
            self._progress.update(self._overall, completed=event.models_done, total=event.models, ends=ends)
        if event.epoch is None:
            self._end(event)
            return
        if event.stage not in self._running:
            self._running[event.stage] = self._progress.add_task("", losses="", ends=None)
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

    def _end(self, event: TrainingEvent) -> None:
        if not event.models:
            self._progress.advance(self._overall)
        if event.stage in self._running:
            self._progress.remove_task(self._running.pop(event.stage))
        if sentence := self._held_out.record(event):
            self._progress.console.print(Text(printable(sentence)))


class _TimeLeft(ProgressColumn):
    """Counts down to the moment at which the training will have ended, as estimated at the last event."""

    def render(self, task: Task) -> Text:
        ends = task.fields["ends"]
        return Text("" if ends is None else time_left(ends - time.monotonic()))


class TrainingLines:
    """One line per held-out patient and per phase of the final stage, and one per epoch every few seconds."""

    def __init__(self, write: Callable[[str], None], *, final_stage: str, seconds: float = LINE_INTERVAL_S) -> None:
        self._write, self._final_stage, self._seconds = write, final_stage, seconds
        self._held_out = HeldOutAucs()
        self._last_line = time.monotonic()

    def __call__(self, event: TrainingEvent) -> None:
        epoch, now = event.epoch, time.monotonic()
        if epoch is None:
            if sentence := self._held_out.record(event):
                self._write(sentence if event.kept else sentence + progress(event))
        elif now - self._last_line >= self._seconds or (
            event.stage == self._final_stage and epoch.number == epoch.epochs
        ):
            where = f"{event.stage}: {epoch.phase}, epoch {epoch.number} of {epoch.epochs}"
            self._write(f"{where}: {losses(event)}{progress(event)}")
        else:
            return
        self._last_line = now


class HeldOutAucs:
    """The AUCs of the patients that were held out so far."""

    def __init__(self) -> None:
        self._aucs: list[float] = []
        self._kept = False

    def record(self, event: TrainingEvent) -> str:
        """Return a sentence with the AUC of the last patient and the mean so far, or with the number of kept groups.

        All but the first of the kept groups have no sentence.
        """
        if event.kept:
            is_first, self._kept = not self._kept, True
            self._aucs += [] if event.held_out_auc is None else [event.held_out_auc]
            sentence = f"{event.kept} of {event.models - 1} held-out groups are kept from an interrupted training"
            return sentence if is_first else ""
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


def progress(event: TrainingEvent) -> str:
    """Return how far the training is, to be added to a sentence; '' if that is not known.

    >>> progress(TrainingEvent("without A", models_done=2, models=6, seconds_left=80.0))
    '; 2 of 6 models, 1 min 20 s left'
    """
    if event.seconds_left is None or not event.models:
        return ""
    return f"; {event.models_done} of {event.models} models, {time_left(event.seconds_left)}"


def time_left(seconds: float) -> str:
    """Return an estimate as text: whole seconds are exact enough.

    >>> time_left(80.3), time_left(4.6)
    ('1 min 20 s left', '5 s left')
    """
    whole = max(round(seconds), 0)
    return f"{whole} s left" if whole < 60 else f"{duration(whole)} left"
