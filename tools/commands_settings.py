"""Tables of settings for the page of all commands, generated from the models that validate them."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.config import CommandConfig
from spacrd_core.plugin_errors import GROUP
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from spacrd_core.plugins import Plugins

BUILT_IN_PACKAGES = ("spacrd_readers", "spacrd_encoders", "spacrd_fusion")  # other plugins are not documented
Schema = dict[str, Any]
TABLES: dict[str, tuple[str, Schema]] = {  # tables that are documented elsewhere, or whose keys the models leave open
    "cohort": ("cohort.KEY", {"description": "A [setting of `cohort`](#settings-of-cohort)."}),
    "epochs": ("epochs.PHASE", {"type": "integer", "description": "As `--epochs PHASE=N`."}),
    "heads": ("heads.NAME.KEY", {"description": "An option of the head NAME."}),
}
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
LARGEST_SHOWN_BOUND = 10**9  # larger bounds are limits of the machine


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")


def settings(command: Any, elsewhere: Mapping[str, str]) -> Iterator[str]:
    """Yield the table of a command's settings: key, kind, default and meaning.

    ``elsewhere`` are options, by name, of commands whose settings this one shares.
    """
    model = _model(command)
    if model is None:
        return
    options = {**elsewhere, **{param.name: f"`{param.opts[-1]}`" for param in command.params}}
    rows = [
        (f"`{key}`", _kind(field), _default(field), field.get("description") or _as_option(key, options))
        for key, field in _fields(model.model_json_schema())
    ]
    yield table(("key", "kind", "default", "meaning"), rows) + "\n"


def cohort_settings() -> Iterator[str]:
    """Yield the documentation of the settings of ``cohort``."""
    yield "## Settings of `cohort`\n\nHow `train` and `evaluate` preprocess a section.\n"
    yield _described("cohort", CohortOptions)
    heads = _built_in_plugins().heads
    for name in (card.name for card in heads):
        defaults = heads.load(name).cohort_defaults(heads.options(name, {})).items()
        keys = ", ".join(f"`{key}={json.dumps(value)}`" for key, value in defaults)
        if keys:
            yield f"Defaults of the head `{name}`: {keys}.\n"


def component_options() -> Iterator[str]:
    """Yield the options of the built-in readers, encoders and heads, grouped where they are equal."""
    yield "## Options of components\n\nFor components in SpaCRD; `spacrd plugins show NAME` lists those of others.\n"
    for registry in _built_in_plugins().registries:
        groups: dict[str, list[str]] = {}
        for card in registry:
            options = registry.load(f"{card.name}:any" if card.family else card.name).Options
            groups.setdefault(_described(registry.kind, options), []).append(card.name)
        for described, names in groups.items():
            yield f"{registry.kind.capitalize()} {', '.join(f'`{name}`' for name in names)}:\n\n{described}"


def _built_in_plugins() -> Plugins:
    return load_plugins(point for point in entry_points(group=GROUP) if point.value.startswith(BUILT_IN_PACKAGES))


def _model(command: Any) -> type[CommandConfig] | None:
    """Return the configuration model of a command, which is in the module of the command."""
    models = vars(sys.modules[command.callback.__module__])
    model = models.get(f"{command.callback.__name__.title()}Config")
    return model if isinstance(model, type) and issubclass(model, CommandConfig) else None


def _described(prefix: str, model: type[BaseModel]) -> str:
    fields = model.model_json_schema()["properties"].items()
    rows = [(f"`{prefix}.{key}`", _kind(field), _default(field), field["description"]) for key, field in fields]
    return table(("key", "kind", "default", "meaning"), rows) + "\n"


def _fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield every key with its schema; keys of a nested table as ``table.key``."""
    for key, field in schema["properties"].items():
        nested = schema.get("$defs", {}).get(field.get("$ref", "").rpartition("/")[2])
        if nested is None or key in TABLES:
            yield TABLES.get(key, (key, field))
            continue
        yield from ((f"{key}.{name}", part) for name, part in nested["properties"].items())
        if nested.get("additionalProperties"):
            yield f"{key}.KEY", {"description": f"An option of the {key}."}


def _kind(field: Schema) -> str:
    """Return the type and the bounds of a value in words."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    return " or ".join(_word(choice) for choice in choices)


def _word(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    words = {"string": "text", "boolean": "`true`, `false`", "object": "table", "array": "list"}
    if "format" in field:
        return str(field["format"])
    kind = str(field.get("type", "any"))
    bounds = [
        f"{word} {field[bound]:g}"
        for bound, word in BOUNDS.items()
        if field.get(bound, LARGEST_SHOWN_BOUND) < LARGEST_SHOWN_BOUND
    ]
    return " ".join([words.get(kind, kind), *bounds])


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value in (None, "", [], {}) and value is not False else f"`{json.dumps(value).strip(chr(34))}`"


def _as_option(key: str, options: Mapping[str, str]) -> str:
    """Return a reference to the option of a key, if there is one."""
    table_, _, leaf = key.rpartition(".")
    name = table_ if leaf == "name" else leaf
    return f"As {options[name]}." if name in options else ""
