"""The hooks of a plugin. Its module implements any of them and is listed in the entry-point group ``spacrd``.

A complete plugin is one module and two lines of ``pyproject.toml``::

    [project.entry-points.spacrd]
    mylab = "mylab_spacrd.plugin"

    # mylab_spacrd/plugin.py
    from spacrd_core.cards import ReaderCard
    from spacrd_core.hookspecs import hookimpl

    @hookimpl
    def spacrd_readers():
        return (ReaderCard("mylab", "mylab_spacrd.reader:Reader", "Our lab's own format"),)

Hooks have no arguments and must not import heavy libraries, because every ``spacrd plugins`` calls them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cards import EncoderCard, HeadCard, ReaderCard

hookspec = pluggy.HookspecMarker("spacrd")
hookimpl = pluggy.HookimplMarker("spacrd")


@hookspec
def spacrd_readers() -> Sequence[ReaderCard]:  # type: ignore[empty-body]
    """Return the cards of platform readers (see :class:`spacrd_core.section.section.Reader`)."""


@hookspec
def spacrd_encoders() -> Sequence[EncoderCard]:  # type: ignore[empty-body]
    """Return the cards of image encoders (see :class:`spacrd_core.embedding.encoder.Encoder`)."""


@hookspec
def spacrd_heads() -> Sequence[HeadCard]:  # type: ignore[empty-body]
    """Return the cards of fusion heads (see :class:`spacrd_core.model.head.Head`)."""
