"""One way to configure: defaults < TOML file < ``--set a.b=c`` < flags, and every mistake reported at once."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.errors import ConfigError, MissingFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


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
    wrong = [entry for entry in overrides if "=" not in entry or not entry.partition("=")[0].strip()]
    if wrong:
        raise ConfigError(f"--set takes KEY=VALUE, not {', '.join(map(repr, wrong))}", hint="--set reader.spot_um=100")
    for entry in overrides:
        key, _, text = entry.partition("=")
        _place(values, key.strip().split("."), _value(text))
    for key, value in (flags or {}).items():
        if value is not None:
            _place(values, key.split("."), value)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(mistakes(error)), hint=f"settings: {', '.join(model.model_fields)}") from error


def mistakes(error: ValidationError) -> list[str]:
    """Return a sentence for every mistake, each with its path."""
    return [
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}, found {item['input']!r}"
        for item in error.errors()
    ]


def _read_file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise MissingFile(f"no configuration file at {file}")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from error


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _place(values: dict[str, Any], path: Sequence[str], value: object) -> None:
    *folders, leaf = path
    for folder in folders:
        inner = values.setdefault(folder, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{'.'.join(path)}: '{folder}' is a value, not a table")
        values = inner
    values[leaf] = value


class ComponentSettings(BaseModel):
    """A table that names a component; whatever else it holds are options that the component checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """The component's own options."""
        return dict(self.model_extra or {})
