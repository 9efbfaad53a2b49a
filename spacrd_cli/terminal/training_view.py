"""What ``spacrd train`` shows as it trains: the losses of every epoch, and the AUC of every patient held out."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from spacrd_cli.terminal.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from spacrd_cli.terminal.output import Output
    from spacrd_core.model.calibrated_ensemble import Moment

SECONDS = 10.0  # between plain lines about epochs


@contextmanager
def training_view(out: Output, *, stages: int) -> Iterator[Callable[[Moment], None]]:
    """Give what is told every moment of a training: bars on a terminal, plain lines elsewhere, nothing if quiet."""
    if out.quiet:
        yield lambda _: None
    elif out.chatter.is_interactive:
        bars = TrainingBars(out.chatter, stages)
        try:
            yield bars
        finally:
            bars.close()
    else:
        from spacrd_core.model.calibrated_ensemble import ALL

        yield TrainingLines(out.say, told=ALL)


class TrainingBars:
    """A bar for the whole training, one for every model in training, and a lasting line for every patient held out."""

    def __init__(self, console: Console, stages: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[said]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            console=console,
            expand=True,
            transient=True,
        )
        self._patients = Patients()
        self._whole = self._progress.add_task("models trained", total=stages, said="")
        self._running: dict[str, TaskID] = {}

    def __call__(self, moment: Moment) -> None:
        self._progress.start()
        if moment.epoch is None:
            self._end(moment.stage)
            self._progress.console.print(Text(printable(self._patients.tell(moment))))
            return
        if moment.stage not in self._running:
            self._running[moment.stage] = self._progress.add_task("", said="")
        self._progress.update(
            self._running[moment.stage],
            description=printable(f"{moment.stage}: {moment.epoch.phase}"),
            completed=moment.epoch.number,
            total=moment.epoch.epochs,
            said=losses(moment),
        )

    def close(self) -> None:
        """Leave the screen to what comes next."""
        self._progress.stop()

    def _end(self, stage: str) -> None:
        self._progress.advance(self._whole)
        if stage in self._running:
            self._progress.remove_task(self._running.pop(stage))


class TrainingLines:
    """A line for every patient held out and every phase of one stage (the last), and for an epoch now and then."""

    def __init__(self, say: Callable[[str], None], *, told: str, seconds: float = SECONDS) -> None:
        self._say, self._told, self._seconds = say, told, seconds
        self._patients = Patients()
        self._spoken = time.monotonic()

    def __call__(self, moment: Moment) -> None:
        epoch, now = moment.epoch, time.monotonic()
        if epoch is None:
            self._say(self._patients.tell(moment))
        elif now - self._spoken >= self._seconds or (moment.stage == self._told and epoch.number == epoch.epochs):
            self._say(f"{moment.stage}: {epoch.phase}, epoch {epoch.number} of {epoch.epochs}: {losses(moment)}")
        else:
            return
        self._spoken = now


class Patients:
    """The AUC of the patients held out so far."""

    def __init__(self) -> None:
        self._aucs: list[float] = []

    def tell(self, moment: Moment) -> str:
        """Return a sentence on the patient just scored, with the mean up to here."""
        if moment.held_out_auc is None:
            return f"{moment.stage}: held out, one class only: no AUC"
        self._aucs.append(moment.held_out_auc)
        mean = f" (mean of {len(self._aucs)}: {sum(self._aucs) / len(self._aucs):.3f})" if len(self._aucs) > 1 else ""
        return f"{moment.stage}: held-out AUC before weighing {moment.held_out_auc:.3f}{mean}"


def losses(moment: Moment) -> str:
    """Return what an epoch minimised, and its terms where there are several."""
    terms = dict(moment.epoch.losses) if moment.epoch else {}
    whole = f"loss {sum(terms.values()):.3f}"
    return f"{whole}: {', '.join(f'{name} {value:.3f}' for name, value in terms.items())}" if len(terms) > 1 else whole
