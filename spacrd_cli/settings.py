"""The components that commands use when none is named."""

from __future__ import annotations

from spacrd_core.config import CommandConfig, ComponentSettings
from spacrd_core.learning.choices import USUAL

ENCODER = "uni"


class EncoderSettings(ComponentSettings):
    """An encoder and its options; UNI unless another is named."""

    name: str = ENCODER


class EncoderName(CommandConfig):
    """The encoder whose embeddings are read, or ``none``; it has done its work, so its options have no place here."""

    name: str = ENCODER

    @property
    def read(self) -> str | None:
        """Its name; None where no image is read."""
        return None if self.name in {"", "none"} else self.name


class HeadSettings(ComponentSettings):
    """A fusion head and its options; ``spacrd`` unless another is named."""

    name: str = USUAL
