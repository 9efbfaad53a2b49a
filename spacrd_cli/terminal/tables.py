"""Tables that fit the terminal: no number and no word is broken, and what there is no room for is named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os.path import commonprefix
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from spacrd_core.quoting import bounded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

GAP = 2  # between columns
SHORTEST_ID = 14  # letters of an id that are kept where there is little room
SHORTEST_PROSE = 30
NOTHING = "-"


@dataclass(frozen=True)
class Column:
    """A column of a table: those of the highest ``rank`` are left out first.

    ``prose`` takes several lines where there is little room, a ``line`` loses its end, and an id its middle. A
    ``figure`` is text that is treated as a number.
    """

    name: str
    rank: int = 0
    prose: bool = False
    line: bool = False
    figure: bool = False


class FittedTable:
    """A table as wide as the terminal: columns are left out, empty ones first, ids are shortened, and prose is wrapped.

    Numbers are on the right, None is a dash, and there is a header if any column has a name.
    """

    def __init__(
        self,
        columns: Sequence[str | Column],
        rows: Iterable[Sequence[object]],
        *,
        title: str | None = None,
        caption: str = "",
    ) -> None:
        self._columns = [Column(column) if isinstance(column, str) else column for column in columns]
        self._title = None if title is None else Text(printable(title))
        self._caption = caption
        values = [list(row) for row in rows]
        by_column = [[row[index] for row in values] for index in range(len(self._columns))]
        cells = [_numbers(values) if _is_numeric(values) else [*map(cell, values)] for values in by_column]
        self._numeric = [c.figure or _is_numeric(v) for c, v in zip(self._columns, by_column, strict=True)]
        self._cells = [list(row) for row in zip(*cells, strict=True)]

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        return len(self._cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        shown = self._fitting(options.max_width)
        widths = self._widths(shown, options.max_width)
        yield self._table(shown, widths)
        if missing := [column.name for index, column in enumerate(self._columns) if index not in shown]:
            yield Text(f" not shown: {', '.join(missing)} (--wide)", style="dim")
        if self._caption:
            yield Text(printable(self._caption) + "\n", style="italic dim")

    def _fitting(self, room: int) -> list[int]:
        """Return the columns that have room, at their smallest widths."""
        shown = list(range(len(self._columns)))
        while _total(map(self._smallest, shown)) > room:
            empty, rank = max(map(self._rank, shown))
            if rank == 0:
                break
            shown.remove(max(index for index in shown if self._rank(index) == (empty, rank)))
        return shown

    def _rank(self, index: int) -> tuple[bool, int]:
        """Return the rank of a column; one that may be left out goes before all others if it is empty."""
        rank = self._columns[index].rank
        return rank > 0 and all(row[index] == NOTHING for row in self._cells), rank

    def _widths(self, shown: Sequence[int], room: int) -> list[int]:
        """Return the widths of the columns: the rest of the room goes to ids, to prose, and to headings that fit."""
        widths = {index: self._smallest(index) for index in shown}
        for index in sorted(shown, key=lambda index: self._columns[index].prose or self._columns[index].line):
            spare = room - _total(widths.values())
            widths[index] += max(min(self._content(index) - widths[index], spare), 0)
        for index in shown:
            missing = self._heading(index) - widths[index]
            if 0 < missing <= room - _total(widths.values()):
                widths[index] += missing
        return [widths[index] for index in shown]

    def _table(self, shown: Sequence[int], widths: Sequence[int]) -> Table:
        named = any(self._columns[index].name for index in shown)
        table = Table(
            title=self._title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, GAP - 1, 0, 0),
            pad_edge=False,
            show_header=named,
        )
        for index, width in zip(shown, widths, strict=True):
            column = self._columns[index]
            table.add_column(
                _heading(column.name, width),
                justify="right" if self._numeric[index] else "left",
                width=width,
                no_wrap=not column.prose,
            )
        columns = [self._shown(index, width) for index, width in zip(shown, widths, strict=True)]
        for row in zip(*columns, strict=True):
            table.add_row(*row)
        return table

    def _content(self, index: int) -> int:
        return max((cell_len(row[index]) for row in self._cells), default=0)

    def _heading(self, index: int) -> int:
        return cell_len(self._columns[index].name)

    def _smallest(self, index: int) -> int:
        """Return the smallest width of a column: of its longest number, of the words above it, or of a short text."""
        column, content = self._columns[index], self._content(index)
        if not self._numeric[index]:
            content = min(content, SHORTEST_PROSE if column.prose or column.line else SHORTEST_ID)
        return max([content, *map(cell_len, column.name.split())])

    def _shown(self, index: int, width: int) -> list[Text]:
        """Return the cells of a column as they are shown."""
        column, texts = self._columns[index], [row[index] for row in self._cells]
        if column.prose or column.line:
            return [Text(text, overflow="ellipsis" if column.line else "fold") for text in texts]
        return [*map(Text, all_elided(texts, width))]


def cell(value: object) -> str:
    """Return a value as it is shown: numbers with four digits, a dash for what is not there."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or NOTHING
    return bounded(printable(str(value)))


def elided(text: str, width: int) -> str:
    """Return a text without its middle if it is longer than a width: ids differ at the end as often as at the start.

    >>> elided("GSM4565826_patient_7", 10)
    'GSM45…nt_7'
    """
    if cell_len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{set_cell_size(text, width - 1 - end)}…{set_cell_size(text[::-1], end)[::-1]}"


def all_elided(texts: Sequence[str], width: int) -> list[str]:
    """Return texts without their middles, and those that would look the same by the part in which they differ.

    >>> all_elided(["block_III_A1_section_7_HE", "block_III_B2_section_7_HE", "S1"], 12)
    ['…II_A1_sect…', '…II_B2_sect…', 'S1']
    """
    shown = [elided(text, width) for text in texts]
    alike = {short: sorted({t for t, s in zip(texts, shown, strict=True) if s == short}) for short in set(shown)}
    return [
        short if len(alike[short]) == 1 else _differing_part(text, alike[short], width)
        for text, short in zip(texts, shown, strict=True)
    ]


def _differing_part(text: str, alike: Sequence[str], width: int) -> str:
    """Return the part of a text that begins a little before the place in which it differs from others like it."""
    start = max(len(commonprefix(alike)) - width // 4, 0)  # noqa: RUF071 - they are not paths
    rest = text[start:]
    return f"…{rest}" if cell_len(rest) < width else f"…{set_cell_size(rest, width - 2)}…"


def _numbers(values: Sequence[object]) -> list[str]:
    """Return the cells of a column of numbers, with as many decimals as the one that needs the most.

    >>> _numbers([0.7309, 0.731, None, 1])
    ['0.7309', '0.7310', '-', '1.0000']
    """
    texts = [*map(cell, values)]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    if not decimals or any("e" in text for text in texts):
        return texts
    return [text if text == NOTHING else f"{value:.{decimals}f}" for value, text in zip(values, texts, strict=True)]


def _heading(name: str, width: int) -> Text:
    """Return the name of a column on as many lines as its words need."""
    lines: list[str] = []
    for word in printable(name).split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return Text("\n".join(lines))


def _is_numeric(values: Iterable[object]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)


def _total(widths: Iterable[int]) -> int:
    columns = list(widths)
    return sum(columns) + GAP * (len(columns) - 1) + GAP
