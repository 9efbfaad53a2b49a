"""Assertions of the contracts."""

from __future__ import annotations

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import ContractError


def expect(condition: object, sentence: str) -> None:
    """Raise a contract error with this sentence if a condition is false."""
    if not condition:
        raise ContractError(sentence, hint="see the interface's documentation in spacrd_core")


def expect_options(component: object) -> None:
    """Expect a nested ``Options`` model that refuses unknown settings."""
    options = getattr(component, "Options", None)
    kind = type(component).__name__
    if not (isinstance(options, type) and issubclass(options, ComponentOptions)):
        raise ContractError(f"{kind}.Options must derive from spacrd_core.cards.ComponentOptions, found {options!r}")
    forbids_unknown = options.model_config.get("extra") == "forbid"
    expect(forbids_unknown, f"{kind}.Options must refuse unknown settings (extra='forbid')")
