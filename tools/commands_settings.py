"""What configuration files and ``--set`` take, for the page of all commands: read from the models that check it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.config import CommandConfig
from spacrd_core.plugins import GROUP, load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from spacrd_core.plugins import Plugins

OURS = ("spacrd_readers", "spacrd_encoders", "spacrd_fusion")  # other plugins are not everybody's
Schema = dict[str, Any]
TABLES: dict[str, tuple[str, Schema]] = {  # settings that are tables of keys which the models leave open
    "cohort": ("cohort.KEY", {"description": "One of the [settings of `cohort`](#settings-of-cohort)."}),
    "epochs": ("epochs.PHASE", {"type": "integer", "description": "As `--epochs PHASE=N`."}),
    "heads": ("heads.NAME.KEY", {"description": "An option of the head of that name."}),
}
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
VAST = 10**9  # a bound that only a machine meets


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")


def settings(command: Any) -> Iterator[str]:
    """Yield what a command's configuration may hold: key, kind, default and meaning."""
    model = _model(command)
    if model is None:
        return
    options = {given.name: given.opts[-1] for given in command.params}
    rows = [
        (f"`{key}`", _kind(field), _default(field), field.get("description") or _as_option(key, options))
        for key, field in _fields(model.model_json_schema())
    ]
    yield table(("key", "kind", "default", "meaning"), rows) + "\n"


def cohort_settings() -> Iterator[str]:
    """Yield the section on what a detector reads of a section."""
    yield "## Settings of `cohort`\n\nWhat `train` and `evaluate` read of a section.\n"
    yield _described("cohort", CohortOptions)
    heads = _ours().heads
    for name in (card.name for card in heads):
        asked = heads.load(name).reads(heads.options(name, {})).items()
        keys = ", ".join(f"`{key}={json.dumps(value)}`" for key, value in asked)
        if keys:
            yield f"The head `{name}` asks for {keys}, where you say nothing.\n"


def component_options() -> Iterator[str]:
    """Yield the section on the options of our readers, encoders and heads; equal ones stand together."""
    yield "## Options of components\n\nOf those that come with SpaCRD; `spacrd plugins show NAME` has any other's.\n"
    found = _ours()
    for registry in (found.readers, found.encoders, found.heads):
        alike: dict[str, list[str]] = {}
        for card in registry:
            options = registry.load(f"{card.name}:any" if card.family else card.name).Options
            alike.setdefault(_described(registry.kind, options), []).append(card.name)
        for described, names in alike.items():
            yield f"{registry.kind.capitalize()} {', '.join(f'`{name}`' for name in names)}:\n\n{described}"


def _ours() -> Plugins:
    return load_plugins(point for point in entry_points(group=GROUP) if point.value.startswith(OURS))


def _model(command: Any) -> type[CommandConfig] | None:
    """Return the model named after a command, which its module has."""
    models = vars(sys.modules[command.callback.__module__])
    found = models.get(f"{command.callback.__name__.title()}Config")
    return found if isinstance(found, type) and issubclass(found, CommandConfig) else None


def _described(prefix: str, model: type[BaseModel]) -> str:
    fields = model.model_json_schema()["properties"].items()
    rows = [(f"`{prefix}.{key}`", _kind(field), _default(field), field["description"]) for key, field in fields]
    return table(("key", "kind", "default", "meaning"), rows) + "\n"


def _fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield every key with its schema, those of a table inside as ``table.key``."""
    for key, field in schema["properties"].items():
        inside = schema.get("$defs", {}).get(field.get("$ref", "").rpartition("/")[2])
        if inside is None:
            yield TABLES.get(key, (key, field))
            continue
        yield from ((f"{key}.{name}", part) for name, part in inside["properties"].items())
        if inside.get("additionalProperties"):
            yield f"{key}.KEY", {"description": f"An option of the {key} itself."}


def _kind(field: Schema) -> str:
    """Return what a value may be, in words."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    return " or ".join(_word(choice) for choice in choices)


def _word(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    words = {"string": "text", "boolean": "`true`, `false`", "object": "table", "array": "list"}
    if "format" in field:
        return str(field["format"])
    kind = str(field.get("type", "any"))
    bounds = [f"{word} {field[bound]:g}" for bound, word in BOUNDS.items() if field.get(bound, VAST) < VAST]
    return " ".join([words.get(kind, kind), *bounds])


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value in (None, "", [], {}) and value is not False else f"`{json.dumps(value).strip(chr(34))}`"


def _as_option(key: str, options: Mapping[str, str]) -> str:
    """Return that a key is an option of the line, too."""
    table_, _, leaf = key.rpartition(".")
    name = table_ if leaf == "name" else leaf
    return f"As `{options[name]}`." if name in options else ""
