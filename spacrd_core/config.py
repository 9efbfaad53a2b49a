"""One way to configure: defaults < TOML file < ``--set a.b=c`` < flags, and every mistake reported at once."""

from __future__ import annotations

import json
import reprlib
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.errors import ConfigError, MissingFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails


class CommandConfig(BaseModel):
    """The settings of one command."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def read_config(
    model: type[ConfigT],
    file: Path | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> ConfigT:
    """Return a command's settings.

    ``overrides`` are ``a.b=c`` strings, their values read as JSON where they are JSON and as text where not.
    ``flags`` win over everything; None means the flag was not given.
    """
    values = _read_file(file) if file else {}
    wrong = [mistake for entry in overrides if (mistake := _override(values, entry))]
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    wrong += [mistake for key, value in given.items() if (mistake := _place(values, key.split("."), value))]
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        wrong += mistakes(error)
    if wrong:
        raise ConfigError("; ".join(wrong), hint=f"settings: {', '.join(model.model_fields)}")
    return settings


def mistakes(error: ValidationError) -> list[str]:
    """Return a sentence for every mistake, each with its path."""
    return [f"{'.'.join(map(str, item['loc'])) or 'value'}: {_mistake(item)}" for item in error.errors()]


def _mistake(item: ErrorDetails) -> str:
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "extra_forbidden":
        return "is no setting"
    said = item["msg"].removeprefix("Value error, ")  # pydantic's, before the sentence of a validator of ours
    return f"{said}, found {reprlib.repr(item['input'])}"


def _read_file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise MissingFile(f"no configuration file at {file}", hint="check the path given as --config")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not TOML, not text, or made to break the parser
        raise ConfigError(f"{file} is not TOML: {error}", hint="settings read KEY = VALUE, a line each") from error


def _override(values: dict[str, Any], entry: str) -> str:
    """Place a ``KEY=VALUE``; return what is wrong with it."""
    key, equals, text = entry.partition("=")
    if not equals or not key.strip():
        return f"--set takes KEY=VALUE, not {entry!r}"
    return _place(values, key.strip().split("."), _value(text))


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _place(values: dict[str, Any], path: Sequence[str], value: object) -> str:
    *folders, leaf = path
    for folder in folders:
        inner = values.setdefault(folder, {})
        if not isinstance(inner, dict):
            return f"{'.'.join(path)}: '{folder}' is a value, not a table"
        values = inner
    values[leaf] = value
    return ""


class ComponentSettings(BaseModel):
    """A table that names a component; whatever else it holds are options that the component checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """The component's own options."""
        return dict(self.model_extra or {})
