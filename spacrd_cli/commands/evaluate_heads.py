"""The heads that ``spacrd evaluate`` compares: named heads, their variants, and always the baseline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.errors import ConfigError
from spacrd_core.model.options import BASELINE_HEAD, DEFAULT_HEAD, HeadOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.cards import HeadCard
    from spacrd_core.plugins import Registry

OPTION_SEPARATOR = re.compile(r"\+(?=[A-Za-z_]\w*=)")  # not a plus inside a value, as in 1e+3

Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Variant:
    """A head with options, and its label in tables, such as ``spacrd+align_epochs=0``."""

    label: str
    head: ComponentSettings

    @property
    def options(self) -> HeadOptions:
        """The head options of a training."""
        return HeadOptions(name=self.head.name, options=self.head.options, label=self.label)


def variants(named: Sequence[str], tables: Tables, heads: Registry[HeadCard]) -> list[Variant]:
    """Return the heads to compare: those named, else those with a table, else the default; and the baseline.

    Raises
    ------
    SpacrdError
        If a head or one of its options is unknown.
    """
    unknown = [f"unknown setting 'heads.{name}.name'" for name, table in tables.items() if "name" in table]
    if unknown:
        raise ConfigError(
            "; ".join(unknown), hint="a table under 'heads' has the name of its head; --head NAME chooses heads"
        )
    options = {heads.canonical(name): table for name, table in tables.items()}
    compared = [_variant(entry, options, heads) for entry in [*(named or [*tables] or [DEFAULT_HEAD]), BASELINE_HEAD]]
    return list({variant.label: variant for variant in compared}.values())


def _variant(entry: str, options: Mapping[str, dict[str, Any]], heads: Registry[HeadCard]) -> Variant:
    """Return the head of ``NAME+KEY=VALUE+...``; these options win over those of its table."""
    name, *overrides = OPTION_SEPARATOR.split(entry)
    canonical = heads.canonical(name)
    entry_settings = read_config(ComponentSettings, overrides=overrides)
    if "name" in entry_settings.model_fields_set:
        raise ConfigError(f"--head {entry}: 'name' is not an option of a head", hint="--head NAME+KEY=VALUE")
    settings = ComponentSettings(name=canonical, **(options.get(canonical, {}) | entry_settings.options))
    heads.options(canonical, settings.options)  # reports mistakes before training
    return Variant("+".join([canonical, *overrides]), settings)
