"""How embeddings are computed: what never changes their meaning, and may differ from machine to machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spacrd_core.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where an encoder runs and how much it is given at a time.

    Attributes
    ----------
    device
        A name for :func:`spacrd_core.devices.choose_device`, resolved where the work is done.
    batch_size
        Patches a forward pass on CUDA; on a CPU passes have one size, so that batches do not show in the last bits.
    precision
        Of the arithmetic; ``auto`` is the recipe's on CUDA and fp32 on a CPU.
    readers
        Threads that read the slide while the encoder works.
    compiled
        Whether to compile the encoder with torch.compile: a minute at first, then some 10 % faster for ViTs on CUDA.
    """

    device: str = "auto"
    batch_size: int = 64
    precision: Precision = "auto"
    readers: int = 2
    compiled: bool = False

    def __post_init__(self) -> None:
        for name, count in (("batch_size", self.batch_size), ("readers", self.readers)):
            if count < 1:
                raise ConfigError(f"{name} must be 1 or more, not {count}", hint=f"{name}={getattr(Settings, name)}")
