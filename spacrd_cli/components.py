"""The components that a command can use, and which of the installed plugins it has to do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from spacrd_cli.terminal.output import Output
    from spacrd_core.plugins import Plugins


def load_components(out: Output) -> Plugins:
    """Return the components of all plugins, after a note for each plugin that cannot be used."""
    plugins = load_plugins()
    for problem in plugins.problems:
        out.warn(str(problem))
    return plugins
