"""How embeddings are computed: settings that do not change what they mean, and may differ between machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spacrd_core.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where an encoder runs and how.

    Attributes
    ----------
    device
        A name for :func:`spacrd_core.devices.choose_device`, resolved where the work is done.
    batch_size
        Patches per forward pass on CUDA. On a CPU all passes have one size, so that the last bits do not depend on it.
    precision
        Numeric precision; ``auto`` is the recipe's on CUDA and fp32 on a CPU.
    reader_threads
        Threads that read the slide while the encoder works.
    compiled
        Whether to compile the encoder with torch.compile: a minute at first, then some 10 % faster for ViTs on CUDA.
    """

    device: str = "auto"
    batch_size: int = 64
    precision: Precision = "auto"
    reader_threads: int = 2
    compiled: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "reader_threads"):
            value = getattr(self, name)
            if value < 1:
                raise ConfigError(f"{name} must be 1 or more, not {value}", hint=f"{name}={getattr(Settings, name)}")
