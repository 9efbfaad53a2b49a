"""A plugin whose hook raises, and that misspells another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from spacrd_core.cards import EncoderCard, ReaderCard


@hookimpl
def spacrd_encoders() -> tuple[EncoderCard, ...]:
    raise RuntimeError("no licence server")


@hookimpl
def spacrd_reader() -> tuple[ReaderCard, ...]:
    return ()
