"""Forward passes of one size, smaller where memory is short, and their results on the way off the device."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import pad

from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.forward import run_encoder, tiles_of
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import GLASS, Windows

NO_MEMORY = "can't allocate memory"  # torch has a type for CUDA's error alone


@dataclass
class Room:
    """How many tiles of an encoder fit a device's memory at once; None while it was never short."""

    tiles: int | None = None


@dataclass
class Passes:
    """An encoder at work on windows of one width.

    Every pass has ``at_once`` tiles, the last one filled up: matrix products choose their order of summing by their
    shape, and the last bits of an embedding would depend on the size of its batch. Passes that do not fit the device's
    memory are halved for good.
    """

    encoder: Encoder
    name: str
    side: float
    device: torch.device
    precision: str
    at_once: int
    clock: Clock
    compiled: bool = False

    def begin(self, windows: Windows) -> Callable[[], Float32[np.ndarray, "windows dim"]]:
        """Queue a batch on the device; what comes back waits for its embeddings.

        Raises
        ------
        EncoderError
            If a single patch does not fit the memory, or the encoder gives what its recipe does not say.
        """
        found: list[Tensor] = []
        first = 0
        while first < len(windows.rows):
            part = windows[first : first + self.at_once]
            embeddings = self._try(part)
            if embeddings is None:
                self._halve()
            else:
                found.append(embeddings)
                first += len(part.rows)
        return self._leave(torch.cat(found))

    def _try(self, windows: Windows) -> Tensor | None:
        """Return the embeddings, or None where memory was short."""
        try:
            return self._pass(windows)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            short = isinstance(error, torch.OutOfMemoryError) or NO_MEMORY in str(error)
            if not short:
                raise
            if self.at_once == 1:
                raise EncoderError(
                    f"one patch of encoder '{self.name}' does not fit the memory of {self.device}",
                    hint="--device cpu, or a smaller encoder",
                ) from error
            return None

    def _pass(self, windows: Windows) -> Tensor:
        recipe = self.encoder.recipe
        with self.clock.device_part("resample"):
            tiles = tiles_of(
                windows, side=self.side, input_px=recipe.input_px, device=self.device, resize=recipe.resize
            )
        with self.clock.device_part("encode"):
            filled = pad(tiles, (0, 0, 0, 0, 0, 0, 0, self.at_once - len(tiles)), value=GLASS)
            return run_encoder(self.encoder, self.name, filled, precision=self.precision, compiled=self.compiled)[
                : len(tiles)
            ]

    def _halve(self) -> None:
        self.at_once //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _leave(self, embeddings: Tensor) -> Callable[[], Float32[np.ndarray, "windows dim"]]:
        """Start the way off the device."""
        there = embeddings.to("cpu", non_blocking=True)
        arrived = torch.cuda.Event() if embeddings.is_cuda else None
        if arrived:
            arrived.record(torch.cuda.current_stream(self.device))

        def wait() -> Float32[np.ndarray, "windows dim"]:
            if arrived:
                arrived.synchronize()
            if not there.isfinite().all():
                wider = "" if self.precision == "fp32" else ", or use a wider precision (--precision fp32)"
                raise EncoderError(
                    f"encoder '{self.name}' gave numbers that are not finite in precision {self.precision}",
                    hint=f"check its weights{wider}",
                )
            return there.numpy()

        return wait
