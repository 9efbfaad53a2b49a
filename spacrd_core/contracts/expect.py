"""How a contract fails."""

from __future__ import annotations

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import ContractError


def expect(holds: object, sentence: str) -> None:
    """Raise the sentence where something does not hold."""
    if not holds:
        raise ContractError(sentence, hint="see the interface's documentation in spacrd_core")


def expect_options(component: object) -> None:
    """Expect a nested ``Options`` model that refuses unknown settings."""
    options = getattr(component, "Options", None)
    kind = type(component).__name__
    if not (isinstance(options, type) and issubclass(options, ComponentOptions)):
        raise ContractError(f"{kind}.Options must derive from spacrd_core.cards.ComponentOptions, not be {options!r}")
    forbids = options.model_config.get("extra") == "forbid"
    expect(forbids, f"{kind}.Options must refuse unknown settings (extra='forbid')")
