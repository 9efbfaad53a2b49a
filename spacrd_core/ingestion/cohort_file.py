"""Read a cohort from a CSV file: one row per section, columns named after the options of ``spacrd ingest``.

Spreadsheets write semicolons and decimal commas in many countries, capital letters and spaces where users typed them,
and empty rows and columns below and beside a table.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError, InputError
from spacrd_core.ingestion.options import IngestConfig, IngestOptions
from spacrd_core.quoting import MAX_MISTAKE, listed, shortened
from spacrd_core.tables import find_delimiter, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROWS, MAX_COLUMNS = 100_000, 1000
MAX_LETTERS = 2**26  # some 600 of each row
COHORT_HINT = "a header (path,name,patient,...) and one row per section"
NUMBERS = ("image_scale", "um_per_px", "mpp")
DECIMAL_COMMA = re.compile(r"^(\d+),(\d+)$")
EXCEL_SEPARATOR = re.compile(r"sep=[;,\t]")


def read_cohort(file: Path, shared: Mapping[str, Any]) -> list[IngestOptions]:
    """Return the options of every row; ``shared`` options apply where a row has an empty cell.

    Paths are relative to the file, with slashes or backslashes. Several values of ``positive`` or ``ignore`` are
    separated by semicolons.

    Raises
    ------
    InputError
        If the file is not a text table.
    ConfigError
        With every mistake of every row, and the lines that give the same name to two sections.
    """
    sections: dict[int, IngestOptions] = {}
    problems = []
    for line, row in _rows(file):
        try:
            options = IngestOptions.model_validate(_merge(shared, _with_points(row)))
            sections[line] = _resolve_paths(options, file.parent)
        except ValidationError as error:
            problems += [f"line {line}: {mistake}" for mistake in mistakes(error)]
    if problems:
        per_section = (key for key in IngestOptions.model_fields if key not in IngestConfig.model_fields)
        columns = ", ".join([*per_section, *IngestConfig.model_fields])
        raise ConfigError(f"{file}: {listed(problems, separator='; ', length=MAX_MISTAKE)}", hint=f"columns: {columns}")
    _require_unique_names(sections, file)
    return list(sections.values())


def cohort_columns(text: str) -> list[str]:
    """Return the names of the columns in the first line of a table, as those of options."""
    try:
        return [_column(name) for name in next(_cells(text), [])]
    except csv.Error:
        return []


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """Return every row below the header that is not empty, with its line number."""
    text = read_text(file, "cohort file")
    if text.count("\n") > MAX_ROWS:
        raise InputError(f"{file} has more than {MAX_ROWS:,} lines: it is not a list of sections", hint=COHORT_HINT)
    if len(text) > MAX_LETTERS:
        raise InputError(f"{file} has {len(text):,} characters: it is not a list of sections", hint=COHORT_HINT)
    try:
        return _named_rows(_cells(_whole(text, file)), file)
    except csv.Error as error:
        raise InputError(f"{file} is not a table: {error}", hint=COHORT_HINT) from error


def _whole(text: str, file: Path) -> str:
    """Return a table, unless it ends within a row: without an end of line, and with fewer cells than columns."""
    lines = text.splitlines()
    delimiter = find_delimiter(lines[0])
    cells, columns = (line.count(delimiter) + 1 for line in (lines[-1], lines[0]))
    if len(lines) > 1 and cells < columns and lines[-1].strip() and not text.endswith(("\n", "\r")):
        raise InputError(
            f"{file} ends within its last row, which has {cells} of {columns} cells and no end of line",
            hint="copy it again; or complete the row, and end it with a line break",
        )
    return text


def _named_rows(reader: Any, file: Path) -> list[tuple[int, dict[str, str]]]:
    columns = [_column(name) for name in next(reader, [])]
    if len(columns) > MAX_COLUMNS:
        raise InputError(f"{file} has {len(columns):,} columns: it is not a list of sections", hint=COHORT_HINT)
    if repeated := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise ConfigError(f"{file} has more than one column '{shortened(repeated[0])}'", hint="keep one of them")
    rows = [(reader.line_num, _row(columns, [cell.strip() for cell in cells])) for cells in reader]
    filled = [(line, row) for line, row in rows if row]
    if not filled:
        raise ConfigError(f"{file} lists no section", hint=COHORT_HINT)
    return filled


def _cells(text: str) -> Any:
    """Return a CSV reader of a table, at its header; a first line like ``sep=;`` is an instruction for Excel."""
    first = text.partition("\n")[0].strip("\r ")
    lines = io.StringIO(text, newline="")
    if not EXCEL_SEPARATOR.fullmatch(first):
        return csv.reader(lines, delimiter=find_delimiter(first), strict=True)
    reader = csv.reader(lines, delimiter=first[-1], strict=True)
    next(reader)
    return reader


def _column(name: str) -> str:
    """Return the name of a column as that of an option: ``Image scale`` is ``image_scale``."""
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _row(columns: list[str], cells: list[str]) -> dict[str, str]:
    """Return the cells of a row that are not empty, by column."""
    beyond = [cell for cell in cells[len(columns) :] if cell]
    extra = {"more cells than columns": beyond[0]} if beyond else {}
    named = {column or "column without a name": cell for column, cell in zip(columns, cells, strict=False) if cell}
    return named | extra


def _with_points(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row whose numbers have decimal points instead of commas."""
    return {key: DECIMAL_COMMA.sub(r"\1.\2", cell) if key in NUMBERS else cell for key, cell in row.items()}


def _merge(shared: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a row; a reader named there keeps the shared reader options."""
    options = dict(shared) | dict(row)
    if isinstance(options.get("reader"), str):
        options["reader"] = {**shared.get("reader", {}), "name": options["reader"]}
    return options


def _require_unique_names(sections: Mapping[int, IngestOptions], file: Path) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for line, options in sections.items():
        lines[options.section_id].append(str(line))
    repeated = [f"lines {' and '.join(at)} both name '{shortened(name)}'" for name, at in lines.items() if len(at) > 1]
    if repeated:
        raise ConfigError(
            f"{file}: {listed(repeated, separator='; ', length=MAX_MISTAKE)}",
            hint="add a column 'name' with a unique id per section",
        )


def _resolve_paths(options: IngestOptions, folder: Path) -> IngestOptions:
    paths = {key: _resolve(folder, value) for key, value in options if isinstance(value, Path)}
    return options.model_copy(update=paths)


def _resolve(folder: Path, path: Path) -> Path:
    """Return a path relative to a folder; one with backslashes was written on Windows, unless there is such a file."""
    resolved = folder / path
    return resolved if resolved.exists() else folder / PureWindowsPath(path).as_posix()
