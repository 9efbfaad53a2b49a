"""The cards of this package."""

from __future__ import annotations

from spacrd_core.cards import ReaderCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_readers() -> tuple[ReaderCard, ...]:
    """Return the cards of our readers."""
    return (
        ReaderCard(
            "st",
            "spacrd_readers.st:St",
            "legacy Spatial Transcriptomics: a counts table, its spot table and an H&E image",
        ),
    )
