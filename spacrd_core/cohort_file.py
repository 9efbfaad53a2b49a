"""A cohort as a CSV file: a row a section, columns named after the options of ``spacrd ingest``."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion import IngestRequest, default_name
from spacrd_core.labels.words import Vocabulary
from spacrd_core.section import Given
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping


class IngestOptions(BaseModel):
    """The options of one section, as flags give them and as a row of a cohort file does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    name: str = ""
    patient: str = ""
    reader: str = ""
    labels: Path | None = None
    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    image: Path | None = None
    alignment: Path | None = None
    image_scale: float | None = Field(None, gt=0, allow_inf_nan=False)
    um_per_px: float | None = Field(None, gt=0, allow_inf_nan=False)
    mpp: float = Field(0.5, gt=0, allow_inf_nan=False)
    no_image: bool = False

    @field_validator("positive", "ignore", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(";")) if isinstance(value, str) else value

    def request(self, reader_options: Mapping[str, object], *, replace: bool) -> IngestRequest:
        """Return what :func:`spacrd_core.ingestion.ingest` takes."""
        return IngestRequest(
            path=self.path,
            name=self.name,
            patient=self.patient,
            reader=self.reader,
            reader_options=reader_options,
            labels=self.labels,
            vocabulary=Vocabulary(positive=self.positive, ignore=self.ignore),
            given=Given(
                image=self.image,
                alignment=self.alignment,
                image_scale=self.image_scale,
                um_per_px=self.um_per_px,
                with_image=not self.no_image,
            ),
            mpp=self.mpp,
            replace=replace,
        )


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
