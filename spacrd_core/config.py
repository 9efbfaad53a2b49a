"""Configuration: defaults < TOML file < ``--set a.b=c`` < flags. All mistakes are reported together."""

from __future__ import annotations

import difflib
import reprlib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.errors import ConfigError, MissingFile
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.toml_text import read_toml
from spacrd_core.quoting import MAX_ITEMS, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

    Check = Callable[[dict[str, Any]], object]

ConfigT = TypeVar("ConfigT", bound=BaseModel)


class CommandConfig(BaseModel):
    """The settings of one command."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_config(
    model: type[ConfigT],
    file: Path | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
    checks: Mapping[str, Check] | None = None,
) -> ConfigT:
    """Return the settings of a command.

    Parameters
    ----------
    overrides
        ``a.b=c`` strings. A value is parsed as JSON if possible and is text otherwise.
    flags
        Values of command-line flags, which win over everything else; None means that a flag was not given.
    checks
        By key of a table whose settings the model leaves open: a function that raises :class:`ConfigError` for a table
        it cannot accept, such as the options of a component.

    Raises
    ------
    ConfigError
        With every mistake.
    """
    values = _read_file(file) if file else {}
    problems = [problem for entry in overrides if (problem := _override(values, entry))]
    for key, value in (flags or {}).items():
        if value is not None and (problem := _insert(values, key.split("."), value)):
            problems.append(problem)
    hints: list[str] = []
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        problems += mistakes(error)
        hints.append(_hint(model, error))
    for key, check in (checks or {}).items():
        try:
            check(values.get(key, {}))
        except ConfigError as error:
            problems.append(str(error))
            hints.append(error.hint)
    if problems:
        raise ConfigError("; ".join(problems), hint="; ".join(filter(None, hints)) or _valid_settings(model, ()))
    return settings


def mistakes(error: ValidationError) -> list[str]:
    """Return one sentence per mistake, each with its key."""
    errors = error.errors()
    more = [f"and {len(errors) - MAX_ITEMS} more mistakes"] if len(errors) > MAX_ITEMS else []
    return [*map(_mistake, errors[:MAX_ITEMS]), *more]


def _mistake(item: ErrorDetails) -> str:
    key = shortened(".".join(map(str, item["loc"]))) or "value"
    if item["type"] == "missing":
        return f"missing setting '{key}'"
    if item["type"] == "extra_forbidden":
        return f"unknown setting '{key}'"
    message = item["msg"].removeprefix("Value error, ")  # pydantic prepends this to messages of our validators
    return f"{key}: {message}, found {shortened(reprlib.repr(item['input']))}"


def _hint(model: type[BaseModel], error: ValidationError) -> str:
    """Return the settings that are closest to the unknown ones, and the valid settings of their tables."""
    unknown = [item["loc"] for item in error.errors() if item["type"] == "extra_forbidden"][:MAX_ITEMS]
    near = [
        ".".join(map(str, (*table, match)))
        for *table, name in unknown
        for match in difflib.get_close_matches(str(name), _fields(model, table), n=1)
    ]
    tables = dict.fromkeys(loc[:-1] for loc in unknown) or {(): None}
    valid = [_valid_settings(model, table) for table in tables]
    return "; ".join([*([f"did you mean {' or '.join(near)}?"] if near else []), *valid])


def _valid_settings(model: type[BaseModel], table: Sequence[str | int]) -> str:
    owner = f" of {'.'.join(map(str, table))}" if table else ""
    return f"settings{owner}: {', '.join(_fields(model, table))}"


def _fields(model: type[BaseModel], table: Sequence[str | int]) -> list[str]:
    """Return the settings of a nested table of a model."""
    for name in table:
        field = model.model_fields.get(str(name))
        nested = field.annotation if field else None
        if not (isinstance(nested, type) and issubclass(nested, BaseModel)):
            return []
        model = nested
    return list(model.model_fields)


def _read_file(file: Path) -> dict[str, Any]:
    refuse_special(file, ConfigError)
    if not file.is_file():
        raise MissingFile(f"no configuration file at {file}", hint="check the path of --config")
    return read_toml(file, ConfigError, hint="write one KEY = VALUE per line")


def _override(values: dict[str, Any], entry: str) -> str:
    """Insert a ``KEY=VALUE``; return the problem, if any."""
    key, equals, text = entry.partition("=")
    if not equals or not key.strip():
        return f"--set takes KEY=VALUE, not {shortened(repr(entry))}"
    return _insert(values, key.strip().split("."), _parse(text))


def _parse(text: str) -> object:
    try:
        return parse_json(text)
    except ValueError:
        return text


def _insert(values: dict[str, Any], path: Sequence[str], value: object) -> str:
    """Insert a value at a path of nested tables; return the problem, if any."""
    *tables, leaf = path
    for table in tables:
        inner = values.setdefault(table, {})
        if not isinstance(inner, dict):
            return f"{shortened('.'.join(path))}: '{shortened(table)}' is a value, not a table"
        values = inner
    values[leaf] = value
    return ""


class ComponentSettings(BaseModel):
    """A table with the name of a component; every other key is an option that the component checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """The component's own options."""
        return dict(self.model_extra or {})
