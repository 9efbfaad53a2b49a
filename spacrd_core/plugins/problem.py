"""A problem with a plugin, which is shown where plugins are listed and raised only to whoever asks for its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A problem with a plugin: its distribution and entry point, the name it affects (if any), and what happened."""

    plugin: str
    sentence: str
    kind: str = ""
    name: str = ""

    def is_of(self, name: str) -> bool:
        """Return whether this is a problem of a plugin of this name: its distribution's, its entry point's, or both."""
        return any(is_named(plugin, name) for plugin in self.plugin.split(", "))

    def __str__(self) -> str:
        subject = f"{self.kind} '{self.name}'" if self.name else f"plugin {self.plugin}"
        return f"{subject}: {self.sentence}"


def is_named(plugin: str, name: str) -> bool:
    """Return whether a name is that of a plugin, which is written as ``distribution:entry point``, or of either."""
    return name in {plugin, *plugin.split(":")}
