"""What ``--dry-run`` prints: the plan of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from spacrd_cli.terminal.errors import failures
from spacrd_cli.terminal.progress import duration
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_cli.terminal.output import Output
    from spacrd_core.dry_run.plan import Duration, Plan

COLUMNS = ("section", "work", "space", Column("note", prose=True))
UNITS = ("B", "kB", "MB", "GB", "TB")


def show_plan(out: Output, plan: Plan, errors: Iterable[Exception] = ()) -> None:
    """Print a plan, with the errors of sections that the command would not work on in the document."""
    rows = [[item.section, item.work, size(item.bytes) if item.bytes else None, item.note] for item in plan.items]
    lines = [f"work: {_work(plan)}", f"space: {_space(plan)}", f"time: {_time(plan.time)}"]
    tables = [FittedTable(COLUMNS, rows)] if rows else []
    out.result(plan.document() | {"failures": failures(errors)}, *tables, *(Text(printable(line)) for line in lines))
    for note in plan.notes:
        out.info(note)
    for sentence in plan.missing_space:
        out.warn(sentence)
    out.info("dry run: nothing was written")


def size(number: float) -> str:
    """Return a number of bytes as text.

    >>> size(1_230_000)
    '1.2 MB'
    """
    unit = 0
    while number >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.1f} {UNITS[unit]}" if unit and number < 100 else f"{number:.0f} {UNITS[unit]}"


def _work(plan: Plan) -> str:
    counts = {work: sum(item.work == work for item in plan.items) for work in ("done", "not used")}
    others = [f"{_count(number, 'sections')} {work}" for work, number in counts.items() if number]
    return "; ".join([_count(plan.tasks, plan.unit), *others])


def _count(number: int, units: str) -> str:
    """Return a number with its unit, which is given in the plural."""
    return f"{number} {units.removesuffix('s') if number == 1 else units}"


def _space(plan: Plan) -> str:
    return "; ".join(
        f"about {size(each.bytes)} in {each.folder}, where {size(each.free_bytes)} are free" for each in plan.space
    )


def _time(time: Duration) -> str:
    if time.seconds is None:
        return f"unknown: {time.basis}"
    if not time.seconds:
        return time.basis
    return f"about {duration(time.seconds)} in one process ({time.basis})"
