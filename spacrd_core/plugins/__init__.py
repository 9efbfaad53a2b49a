"""Components by name: one registry per kind, filled from entry points, and a list of problems.

pluggy's own ``load_setuptools_entrypoints`` is not used: it stops at the first broken plugin and silently drops
duplicate names. Here a broken plugin or a duplicate name is a :class:`Problem`, raised only when the name is used.
"""

from __future__ import annotations

from spacrd_core.plugins.cards import describe
from spacrd_core.plugins.load import load_heads, load_plugins
from spacrd_core.plugins.plugins import Plugins
from spacrd_core.plugins.problem import Problem
from spacrd_core.plugins.registry import Registry

__all__ = ["Plugins", "Problem", "Registry", "describe", "load_heads", "load_plugins"]
