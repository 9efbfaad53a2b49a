"""A cohort as a CSV file: a row a section, columns named after the options of ``spacrd ingest``."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.options import IngestOptions, default_name
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_cohort(file: Path, shared: Mapping[str, Any]) -> list[IngestOptions]:
    """Return the options of every row; ``shared`` options hold where a row says nothing.

    Paths are relative to the file. Several values of ``positive`` or ``ignore`` are separated by semicolons.

    Raises
    ------
    InputError
        If the file is no text table.
    ConfigError
        With every mistake of every row, and the lines that give one name to two sections.
    """
    options: dict[int, IngestOptions] = {}
    wrong = []
    for line, row in _rows(file):
        given = {key: value for key, value in row.items() if value not in (None, "", [])}
        try:
            options[line] = _anchored(IngestOptions.model_validate({**shared, **given}), file.parent)
        except ValidationError as error:
            wrong += [f"line {line}: {mistake}" for mistake in mistakes(error)]
    if wrong:
        known = ", ".join(IngestOptions.model_fields)
        raise ConfigError(f"{file}: {'; '.join(wrong)}", hint=f"columns: {known}")
    _require_one_row_a_section(options, file)
    return list(options.values())


def _rows(file: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return every row below the header, with its line."""
    reader = csv.DictReader(io.StringIO(read_text(file, "cohort file"), newline=""), restkey="more cells than columns")
    rows = [(reader.line_num, row) for row in reader]
    if not rows:
        raise ConfigError(f"{file} lists no section", hint="a header line (path,name,patient,...) and a row a section")
    return rows


def _require_one_row_a_section(options: Mapping[int, IngestOptions], file: Path) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for line, row in options.items():
        lines[row.name or default_name(row.path)].append(str(line))
    twice = [f"lines {' and '.join(at)} both name '{name}'" for name, at in lines.items() if len(at) > 1]
    if twice:
        raise ConfigError(f"{file}: {'; '.join(twice)}", hint="a column 'name' that tells the sections apart")


def _anchored(options: IngestOptions, folder: Path) -> IngestOptions:
    paths = {key: folder / value for key, value in options if isinstance(value, Path)}
    return options.model_copy(update=paths)
