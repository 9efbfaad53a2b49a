"""The components that commands use when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.config import CommandConfig, ComponentSettings

if TYPE_CHECKING:
    from spacrd_core.cards import EncoderCard
    from spacrd_core.plugins import Registry

ENCODER = "uni"


class EncoderSettings(ComponentSettings):
    """An encoder and its options; UNI unless another is named."""

    name: str = ENCODER


class EncoderName(CommandConfig):
    """The encoder whose embeddings are read, or ``none``; it has done its work, so its options have no place here."""

    name: str = ENCODER

    @property
    def reads_images(self) -> bool:
        """Whether there is one."""
        return self.name not in {"", "none"}

    def canonical(self, encoders: Registry[EncoderCard]) -> str:
        """Return the name its embeddings are kept under; empty where there is none."""
        return encoders.canonical(self.name) if self.reads_images else ""


class HeadSettings(ComponentSettings):
    """A fusion head and its options; ``spacrd`` unless another is named."""

    name: str = "spacrd"
