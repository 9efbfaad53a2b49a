"""Turn one batch of windows into tiles, and tiles into embeddings, on the device."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from spacrd_core.cards import Recipe
from spacrd_core.devices import copy_to_device
from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.settings import Precision
from spacrd_core.errors import ConfigError, EncoderError
from spacrd_core.slide.patches import Windows
from spacrd_core.slide.resample import resample

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def tiles_from_windows(
    windows: Windows, *, side: float, input_px: int, device: torch.device, resize: str = "triangle"
) -> UInt8[Tensor, "tiles 3 height width"]:
    """Return the input tiles of an encoder, on the device; on CUDA the copy may still be running."""
    pixels, offsets = copy_to_device(torch.from_numpy(windows.pixels), device), torch.from_numpy(windows.offsets)
    if device.type != "mps":  # which has no float64
        offsets = copy_to_device(offsets, device)
    return resample(pixels.movedim(-1, 1), offsets, side=side, out_px=input_px, resize=resize)


def run_encoder(
    encoder: Encoder,
    name: str,
    tiles: UInt8[Tensor, "tiles 3 height width"],
    *,
    precision: str = "fp32",
    compiled: bool = False,
) -> Float32[Tensor, "tiles dim"]:
    """Return the embeddings of tiles, on their device.

    Raises
    ------
    EncoderError
        If the embeddings have another shape than the recipe's.
    """
    dtype = PRECISIONS[precision]
    embed = torch.compile(encoder.embed) if compiled else encoder.embed  # torch caches the result
    with torch.inference_mode(), torch.autocast(tiles.device.type, dtype=dtype, enabled=dtype is not None):
        embeddings = embed(tiles).float()
    expected = (len(tiles), encoder.recipe.dim)
    if tuple(embeddings.shape) != expected:
        raise EncoderError(
            f"encoder '{name}' returned embeddings of shape {tuple(embeddings.shape)}, its recipe has {expected}",
            hint=f"spacrd plugins check {name}",
        )
    return embeddings


def choose_precision(requested: Precision, recipe: Recipe, device: torch.device) -> str:
    """Return the precision to compute in. ``auto`` is fp32 on a CPU; on CUDA it is the recipe's, if supported.

    Raises
    ------
    ConfigError
        If the device does not support the requested precision.
    EncoderError
        If the recipe's precision is unknown.
    """
    precision = requested if requested != "auto" else recipe.precision if device.type == "cuda" else "fp32"
    if precision not in PRECISIONS:
        raise EncoderError(
            f"the recipe has an unknown precision '{precision}'", hint=f"precisions are {', '.join(PRECISIONS)}"
        )
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        if requested == "bf16":
            raise ConfigError(f"{device} does not support bf16", hint="--precision fp16 or fp32")
        return "fp32"
    return precision
