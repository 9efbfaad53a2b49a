"""Forward passes of a constant size, which shrinks if memory is short, and the transfer of their results."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import pad

from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.forward import run_encoder, tiles_from_windows
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import BACKGROUND, Windows

CPU_OUT_OF_MEMORY = "can't allocate memory"  # torch has an exception type only for CUDA


@dataclass
class MemoryLimit:
    """Number of an encoder's tiles that fit a device's memory at once; None if memory has never been short."""

    tiles: int | None = None


@dataclass
class BatchRunner:
    """Runs an encoder on windows of one width.

    Every pass has ``batch_size`` tiles; the last one is filled up. The shape of a matrix product decides the order of
    its sums, so the last bits of an embedding would otherwise depend on the size of its batch. A pass that does not fit
    the device's memory halves ``batch_size`` for all that follow.
    """

    encoder: Encoder
    name: str
    side: float
    device: torch.device
    precision: str
    batch_size: int
    clock: Clock
    compiled: bool = False

    def start(self, windows: Windows) -> Callable[[], Float32[np.ndarray, "windows dim"]]:
        """Queue windows on the device; return a function that waits for their embeddings.

        Raises
        ------
        EncoderError
            If a single patch does not fit the memory, or the embeddings have another shape than the recipe's.
        """
        embeddings: list[Tensor] = []
        first = 0
        while first < len(windows.rows):
            batch = windows[first : first + self.batch_size]
            result = self._run_if_it_fits(batch)
            if result is None:
                self._halve()
            else:
                embeddings.append(result)
                first += len(batch.rows)
        return self._copy_to_cpu(torch.cat(embeddings))

    def _run_if_it_fits(self, windows: Windows) -> Tensor | None:
        """Return the embeddings, or None if memory is short."""
        try:
            return self._run(windows)
        except RuntimeError as error:  # a base class of torch.OutOfMemoryError
            if not isinstance(error, torch.OutOfMemoryError) and CPU_OUT_OF_MEMORY not in str(error):
                raise
            if self.batch_size == 1:
                raise EncoderError(
                    f"one patch of encoder '{self.name}' does not fit the memory of {self.device}",
                    hint="--device cpu, a smaller encoder, or fewer --workers on this device",
                ) from error
            return None

    def _run(self, windows: Windows) -> Tensor:
        recipe = self.encoder.recipe
        with self.clock.measure_on_device("resample"):
            tiles = tiles_from_windows(
                windows, side=self.side, input_px=recipe.input_px, device=self.device, resize=recipe.resize
            )
        with self.clock.measure_on_device("encode"):
            filled = pad(tiles, (0, 0, 0, 0, 0, 0, 0, self.batch_size - len(tiles)), value=BACKGROUND)
            return run_encoder(self.encoder, self.name, filled, precision=self.precision, compiled=self.compiled)[
                : len(tiles)
            ]

    def _halve(self) -> None:
        self.batch_size //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _copy_to_cpu(self, embeddings: Tensor) -> Callable[[], Float32[np.ndarray, "windows dim"]]:
        """Start the copy to the CPU; return a function that waits for it and checks the values."""
        values = embeddings.to("cpu", non_blocking=True)
        copied = torch.cuda.Event() if embeddings.is_cuda else None
        if copied:
            copied.record(torch.cuda.current_stream(self.device))

        def wait() -> Float32[np.ndarray, "windows dim"]:
            if copied:
                copied.synchronize()
            if not values.isfinite().all():
                wider = "" if self.precision == "fp32" else ", or use a wider precision (--precision fp32)"
                raise EncoderError(
                    f"encoder '{self.name}' returned values that are not finite in precision {self.precision}",
                    hint=f"check its weights{wider}",
                )
            return values.numpy()

        return wait
