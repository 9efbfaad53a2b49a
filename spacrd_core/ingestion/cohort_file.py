"""Read a cohort from a CSV file: one row per section, columns named after the options of ``spacrd ingest``."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.options import IngestConfig, IngestOptions
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_cohort(file: Path, shared: Mapping[str, Any]) -> list[IngestOptions]:
    """Return the options of every row; ``shared`` options apply where a row has an empty cell.

    Paths are relative to the file. Several values of ``positive`` or ``ignore`` are separated by semicolons.

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
            sections[line] = _resolve_paths(IngestOptions.model_validate(_merge(shared, row)), file.parent)
        except ValidationError as error:
            problems += [f"line {line}: {mistake}" for mistake in mistakes(error)]
    if problems:
        per_section = (key for key in IngestOptions.model_fields if key not in IngestConfig.model_fields)
        columns = ", ".join([*per_section, *IngestConfig.model_fields])
        raise ConfigError(f"{file}: {'; '.join(problems)}", hint=f"columns: {columns}")
    _require_unique_names(sections, file)
    return list(sections.values())


def _rows(file: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return every row below the header with its line number."""
    reader = csv.DictReader(io.StringIO(read_text(file, "cohort file"), newline=""), restkey="more cells than columns")
    rows = [(reader.line_num, row) for row in reader]
    if not rows:
        raise ConfigError(f"{file} lists no section", hint="a header (path,name,patient,...) and one row per section")
    return rows


def _merge(shared: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a row; a reader named there keeps the shared reader options."""
    options = dict(shared) | {key: value for key, value in row.items() if value not in (None, "", [])}
    if isinstance(options.get("reader"), str):
        options["reader"] = {**shared.get("reader", {}), "name": options["reader"]}
    return options


def _require_unique_names(sections: Mapping[int, IngestOptions], file: Path) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for line, options in sections.items():
        lines[options.section_id].append(str(line))
    repeated = [f"lines {' and '.join(at)} both name '{name}'" for name, at in lines.items() if len(at) > 1]
    if repeated:
        raise ConfigError(f"{file}: {'; '.join(repeated)}", hint="add a column 'name' with a unique id per section")


def _resolve_paths(options: IngestOptions, folder: Path) -> IngestOptions:
    paths = {key: folder / value for key, value in options if isinstance(value, Path)}
    return options.model_copy(update=paths)
