"""One batch on the device: windows to tiles, tiles to embeddings."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from spacrd_core.cards import Recipe
from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.settings import Precision
from spacrd_core.errors import ConfigError, EncoderError
from spacrd_core.slide.patches import Windows
from spacrd_core.slide.resample import resample

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def tiles_of(
    windows: Windows, *, side: float, input_px: int, device: torch.device, resize: str = "triangle"
) -> UInt8[Tensor, "tiles 3 height width"]:
    """Return the tiles an encoder sees, on the device; on CUDA they may be still on their way."""
    pixels, offsets = (torch.from_numpy(values) for values in (windows.pixels, windows.offsets))
    if device.type == "cuda":
        pixels, offsets = pixels.pin_memory(), offsets.pin_memory()  # only then does the copy not wait for the device
    pixels, offsets = (values.to(device, non_blocking=True) for values in (pixels, offsets))
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
        If the encoder gives another shape than its recipe says.
    """
    dtype = PRECISIONS[precision]
    embed = torch.compile(encoder.embed) if compiled else encoder.embed  # torch keeps what it compiled
    with torch.inference_mode(), torch.autocast(tiles.device.type, dtype=dtype, enabled=dtype is not None):
        embeddings = embed(tiles).float()
    wanted = (len(tiles), encoder.recipe.dim)
    if tuple(embeddings.shape) != wanted:
        raise EncoderError(
            f"encoder '{name}' gave numbers of shape {tuple(embeddings.shape)}, its recipe says {wanted}",
            hint=f"spacrd plugins check {name}",
        )
    return embeddings


def choose_precision(asked: Precision, recipe: Recipe, device: torch.device) -> str:
    """Return the precision to compute in: for ``auto`` the recipe's on CUDA where it has it, and fp32 on a CPU.

    Raises
    ------
    ConfigError
        If the device has not what was asked for.
    EncoderError
        If the recipe's is none of them.
    """
    wanted = asked if asked != "auto" else recipe.precision if device.type == "cuda" else "fp32"
    if wanted not in PRECISIONS:
        raise EncoderError(f"no precision is named '{wanted}'", hint=f"a recipe's is {' or '.join(PRECISIONS)}")
    lacking = wanted == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    if lacking and asked == "bf16":
        raise ConfigError(f"{device} has no bf16", hint="--precision fp16 or fp32")
    return "fp32" if lacking else wanted
