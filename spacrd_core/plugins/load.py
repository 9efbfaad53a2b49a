"""Load the plugins of all installed distributions: import their modules, call their hooks, and keep their problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

from spacrd_core import hookspecs
from spacrd_core.cards import EncoderCard, HeadCard, ReaderCard
from spacrd_core.plugin_errors import (
    GROUP,
    PASSED_ON,
    describe_error,
    distribution_of,
    installed_points,
    unmoved,
    version_of,
)
from spacrd_core.plugins.cards import cards_of
from spacrd_core.plugins.claims import registry_of
from spacrd_core.plugins.plugins import Plugins
from spacrd_core.plugins.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import EntryPoint

    from spacrd_core.plugins.cards import CardT
    from spacrd_core.plugins.registry import Registry


def load_plugins(points: Iterable[EntryPoint] | None = None) -> Plugins:
    """Return the components of all installed plugins without heavy imports.

    ``points`` replaces the installed entry points of the group ``spacrd``.
    """
    unread: Mapping[str, BaseException] = {}
    if points is None:
        points, unread = installed_points()
    problems = [
        Problem(plugin, f"its entry points cannot be read: {describe_error(error)}") for plugin, error in unread.items()
    ]
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    points = sorted(points, key=_plugin_name)
    for point in points:
        _register(manager, point, problems)
    problems.extend(_unknown_hooks(manager))
    versions = {_plugin_name(point): version_of(point) for point in points if point.dist}
    readers = _collect(manager, "reader", ReaderCard, problems, versions)
    encoders = _collect(manager, "encoder", EncoderCard, problems, versions)
    heads = _collect(manager, "head", HeadCard, problems, versions)
    return Plugins(readers, encoders, heads, tuple(problems))


def load_heads() -> Registry[Any]:
    """Return the heads of all installed plugins."""
    return load_plugins().heads


def _plugin_name(point: EntryPoint) -> str:
    return f"{distribution_of(point)}:{point.name}"


def _register(manager: pluggy.PluginManager, point: EntryPoint, problems: list[Problem]) -> None:
    name = _plugin_name(point)
    try:
        with unmoved():
            module = point.load()
            manager.register(module, name=name)
            has_hooks = bool(manager.get_hookcallers(module))
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - a third party's module may raise anything; it must not end ours
        problems.append(Problem(name, f"{point.value} could not be loaded: {describe_error(error)}"))
        return
    if not has_hooks:
        problems.append(Problem(name, f"{point.value} has no function marked @hookimpl"))


def _unknown_hooks(manager: pluggy.PluginManager) -> list[Problem]:
    """Return a problem for every implemented hook that does not exist; pluggy silently ignores them."""
    hooks = [name for name in vars(hookspecs) if name.startswith(f"{GROUP}_")]
    return [
        Problem(implementation.plugin_name, f"'{name}' is not a hook; the hooks are {', '.join(hooks)}")
        for name, caller in vars(manager.hook).items()
        if name not in hooks
        for implementation in caller.get_hookimpls()
    ]


def _collect(
    manager: pluggy.PluginManager,
    kind: str,
    card_type: type[CardT],
    problems: list[Problem],
    versions: Mapping[str, str],
) -> Registry[CardT]:
    """Return the registry of a kind of component, from the cards of all plugins."""
    implementations = getattr(manager.hook, f"{GROUP}_{kind}s").get_hookimpls()
    cards = [
        (hook.plugin_name, card)
        for hook in implementations
        for card in cards_of(hook.plugin_name, hook.function, kind, card_type, problems)
    ]
    registry = registry_of(kind, cards, versions)
    problems.extend(registry.problems)
    return registry
