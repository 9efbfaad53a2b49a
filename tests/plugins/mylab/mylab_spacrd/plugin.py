"""The cards, without heavy imports."""

from __future__ import annotations

from spacrd_core.cards import EncoderCard, HeadCard, ReaderCard, Recipe
from spacrd_core.hookspecs import hookimpl

RECIPE = Recipe(input_px=16, um_per_px=7.0, dim=6, pooling="mean", licence="MIT")


@hookimpl
def spacrd_readers() -> tuple[ReaderCard, ...]:
    return (ReaderCard("mylab", "mylab_spacrd.components:MyLab", "Spots of our lab: one CSV per section", ("lab",)),)


@hookimpl
def spacrd_encoders() -> tuple[EncoderCard, ...]:
    summary = "Mean and standard deviation of the colours"
    return (EncoderCard("colour", "mylab_spacrd.components:Colour", summary, ("color",), recipe=RECIPE),)


@hookimpl
def spacrd_heads() -> tuple[HeadCard, ...]:
    summary = "A linear model of the neighbourhood mean"
    return (HeadCard("neighbours", "mylab_spacrd.components:Neighbours", summary, ("neighbors",)),)
