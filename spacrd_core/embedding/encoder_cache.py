"""The encoder of this process: built once, and kept with what was learned while it ran."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from spacrd_core.embedding.adapt import adapt_to_section
from spacrd_core.embedding.batches import MemoryLimit
from spacrd_core.errors import RecipeMismatch
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.slide.patches import PatchPlan


@dataclass
class CachedEncoder:
    """An encoder of this process.

    Attributes
    ----------
    built
        Whether its network has been built on a CUDA device; encoders may build it for their first tiles.
    memory
        How many tiles have fitted the device.
    adapted
        The encoder adapted to the last section, with the key of that section.
    """

    encoder: Encoder
    built: bool = False
    memory: MemoryLimit = field(default_factory=MemoryLimit)
    adapted: tuple[Hashable, Encoder] | None = None

    def adapt(self, section: Hashable, plan: PatchPlan, device: torch.device, *, reader_threads: int) -> Encoder:
        """Return the encoder adapted to a section."""
        last = self.adapted
        if last is None or last[0] != section:
            last = section, adapt_to_section(self.encoder, plan, device, reader_threads=reader_threads)
            self.adapted = last
        return last[1]


_cache: dict[tuple[str, str], CachedEncoder] = {}
_lock = threading.Lock()


def cache_encoder(encoder: Encoder, name: str, options: Mapping[str, Any]) -> None:
    """Make this process use an existing encoder instead of building it again."""
    _cache.clear()
    _cache[_key(name, options)] = CachedEncoder(encoder)


def encoder_on_device(name: str, options: Mapping[str, Any], recipe: str, device: torch.device) -> CachedEncoder:
    """Return an encoder on a device.

    Raises
    ------
    RecipeMismatch
        If the encoder has another recipe than the one with this key.
    """
    key = _key(name, options)
    with _lock:
        if key not in _cache:
            cache_encoder(load_plugins().encoders.create(name, options), name, options)
        cached = _cache[key]
        encoder = cached.encoder.to(device)
        if encoder.recipe.key != recipe:
            raise RecipeMismatch(
                f"encoder '{name}' has a different recipe in this worker than in the process that planned the work",
                hint="install the same SpaCRD, plugins and weights on all machines",
            )
        if device.type == "cuda" and not cached.built:
            side = encoder.recipe.input_px
            encoder.embed(torch.full((1, 3, side, side), 128, dtype=torch.uint8, device=device))
            cached.built = True
    return cached


def _key(name: str, options: Mapping[str, Any]) -> tuple[str, str]:
    return name, json.dumps(dict(options), sort_keys=True, default=str)
