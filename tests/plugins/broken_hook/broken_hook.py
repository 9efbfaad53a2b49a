"""A plugin with a hook that raises, and a hook with a misspelt name."""

from __future__ import annotations

from spacrd_core.cards import EncoderCard, ReaderCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_encoders() -> tuple[EncoderCard, ...]:
    raise RuntimeError("no licence server")


@hookimpl
def spacrd_reader() -> tuple[ReaderCard, ...]:
    return ()
