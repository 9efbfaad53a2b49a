"""One batch on the device: windows to tiles, tiles to embeddings."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from spacrd_core.embedding.encoder import Encoder
from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import Windows
from spacrd_core.slide.resample import resample

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}
CPU_TILES = 16


def tiles_of(
    windows: Windows, *, side: float, input_px: int, device: torch.device
) -> UInt8[Tensor, "tiles 3 height width"]:
    """Return the tiles an encoder sees, on the device."""
    with _explained_memory(len(windows.rows), device):
        pixels = torch.from_numpy(windows.pixels).to(device).movedim(-1, 1)
        offsets = torch.from_numpy(windows.offsets).to(device)
        return resample(pixels, offsets, side=side, out_px=input_px)


def run_encoder(
    encoder: Encoder, name: str, tiles: UInt8[Tensor, "tiles 3 height width"], *, at_once: int = CPU_TILES
) -> Float32[Tensor, "tiles dim"]:
    """Return the embeddings of tiles, off the device: in float32 on a CPU, in the recipe's precision on CUDA.

    Every pass has ``at_once`` tiles, the last one filled up: matrix products choose their order of summing by their
    shape, and the last bits of an embedding would depend on the size of its batch.

    Raises
    ------
    EncoderError
        If the tiles do not fit the device's memory, or the encoder gives what its recipe does not say.
    """
    passes = [_pass(encoder, name, _filled(part, at_once))[: len(part)] for part in tiles.split(at_once)]
    return torch.cat(passes)


def _filled(tiles: Tensor, count: int) -> Tensor:
    return torch.cat([tiles, tiles[:1].expand(count - len(tiles), *tiles.shape[1:])])


def _pass(encoder: Encoder, name: str, tiles: Tensor) -> Tensor:
    precision = PRECISIONS.get(encoder.recipe.precision)
    autocast = tiles.is_cuda and precision is not None
    with (
        _explained_memory(len(tiles), tiles.device),
        torch.inference_mode(),
        torch.autocast(tiles.device.type, dtype=precision, enabled=autocast),
    ):
        embeddings = encoder.embed(tiles).float().cpu()
    wanted = (len(tiles), encoder.recipe.dim)
    if tuple(embeddings.shape) != wanted:
        raise EncoderError(
            f"encoder '{name}' gave numbers of shape {tuple(embeddings.shape)}, its recipe says {wanted}",
            hint=f"spacrd plugins check {name}",
        )
    if not embeddings.isfinite().all():
        raise EncoderError(
            f"encoder '{name}' gave numbers that are not finite in precision {encoder.recipe.precision}",
            hint="check its weights, or use a wider precision",
        )
    return embeddings


@contextmanager
def _explained_memory(patches: int, device: torch.device) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EncoderError(
            f"{patches} patches at once do not fit the memory of {device}",
            hint=f"--batch-size {max(1, patches // 2)}",
        ) from error
