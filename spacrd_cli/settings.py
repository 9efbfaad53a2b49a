"""The components that commands use when none is named."""

from __future__ import annotations

from spacrd_core.config import ComponentSettings


class EncoderSettings(ComponentSettings):
    """An encoder and its options; UNI unless another is named."""

    name: str = "uni"


class HeadSettings(ComponentSettings):
    """A fusion head and its options; ``spacrd`` unless another is named."""

    name: str = "spacrd"
