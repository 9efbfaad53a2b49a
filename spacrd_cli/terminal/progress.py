"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from spacrd_core.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.progress import Task

Item = TypeVar("Item")


class Bars:
    """A track that draws one bar per task: description, count, speed, time left. Tasks may be nested."""

    def __init__(self, console: Console) -> None:
        self._open_tasks = 0
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Speed(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )

    def __call__(self, work: Iterable[Item], description: str, total: float | None = None) -> Iterator[Item]:
        task = self._progress.add_task(printable(description), total=total)
        self._open_tasks += 1
        try:
            self._progress.start()  # hides the cursor, which must come back
            yield from self._progress.track(work, task_id=task, total=total)
        finally:
            self._open_tasks -= 1
            if not self._open_tasks:
                self._progress.stop()  # the outermost bar stays on the screen; inner bars are removed
            self._progress.remove_task(task)


class Lines:
    """A track that prints a line every few seconds and at the end; short nested tasks print nothing."""

    def __init__(self, write: Callable[[str], None], *, seconds: float = 10.0) -> None:
        self._write = write
        self._seconds = seconds
        self._busy = False

    def __call__(self, work: Iterable[Item], description: str, total: float | None = None) -> Iterator[Item]:
        expected = total or operator.length_hint(work) or None
        outermost, self._busy = not self._busy, True
        start = last_line = time.monotonic()
        done = 0
        try:
            for item in work:
                yield item
                done += 1
                now = time.monotonic()
                if now - last_line >= self._seconds:
                    self._write(f"{description}: {_status(done, expected, now - start)}")
                    last_line = now
        finally:
            self._busy = self._busy and not outermost
        if outermost or last_line > start:
            self._write(f"{description}: {done} in {duration(time.monotonic() - start)}")


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(speed(task.finished_speed or task.speed or 0.0))


def speed(per_second: float) -> str:
    """Return a speed as text: items per second, or seconds per item if slower than one per second.

    >>> speed(112.4), speed(0.2), speed(0.0)
    ('112/s', '5 s each', '')
    """
    if per_second <= 0:
        return ""
    if per_second < 1:
        return f"{1 / per_second:.3g} s each"
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.1f}/s"


def _status(done: int, expected: float | None, seconds: float) -> str:
    rate = speed(done / seconds)
    if expected is None:
        return f"{done}, {rate}"
    left = duration((expected - done) * seconds / done)
    return f"{done} of {expected:g}, {rate}, {left} left"


def duration(seconds: float) -> str:
    """Return a duration as text.

    >>> duration(90)
    '1 min 30 s'
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
