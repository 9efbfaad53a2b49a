"""Which heads ``spacrd evaluate`` compares: those named, variants of them, and always the control."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.errors import ConfigError
from spacrd_core.model.options import CONTROL, USUAL, HeadChoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.cards import HeadCard
    from spacrd_core.plugins import Registry

OPTION = re.compile(r"\+(?=[A-Za-z_]\w*=)")  # a plus inside a value, as in 1e+3, parts nothing

Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Variant:
    """A head with some of its options, and the label it bears in tables: ``spacrd+align_epochs=0``."""

    label: str
    head: ComponentSettings

    @property
    def choice(self) -> HeadChoice:
        """Return it as trainings take it."""
        return HeadChoice(name=self.head.name, options=self.head.options, label=self.label)


def variants(named: Sequence[str], tables: Tables, heads: Registry[HeadCard]) -> list[Variant]:
    """Return what to compare: the heads named, else those that have a table, else the usual one; then the control.

    Raises
    ------
    SpacrdError
        If a head is not known, or one of its options is not.
    """
    mistaken = [f"heads.{name}.name: is no setting" for name, table in tables.items() if "name" in table]
    if mistaken:
        raise ConfigError(
            "; ".join(mistaken), hint="a table under 'heads' bears its head's name, and --head NAME chooses"
        )
    options = {heads.canonical(name): table for name, table in tables.items()}
    found = [_variant(entry, options, heads) for entry in [*(named or [*tables] or [USUAL]), CONTROL]]
    return list({variant.label: variant for variant in found}.values())


def _variant(entry: str, options: Mapping[str, dict[str, Any]], heads: Registry[HeadCard]) -> Variant:
    """Return the head that ``NAME+KEY=VALUE+...`` asks for; its own options win over its table's."""
    name, *given = OPTION.split(entry)
    canonical = heads.canonical(name)
    own = read_config(ComponentSettings, overrides=given)
    if "name" in own.model_fields_set:
        raise ConfigError(f"--head {entry}: 'name' is no option of a head", hint="--head NAME+KEY=VALUE")
    settings = ComponentSettings(name=canonical, **(options.get(canonical, {}) | own.options))
    heads.options(canonical, settings.options)  # a mistake is told before anything is trained
    return Variant("+".join([canonical, *given]), settings)
