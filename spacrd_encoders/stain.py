"""The encoder that needs no weights: what the stain itself says of the tissue.

*Resolution.* Slides come at 0.5 to 13 um/px, and only structure wider than two of the coarsest pixels is on all of
them. Tiles are therefore seen at 12.5 um/px and blurred once more before anything else. Both steps average light, as a
coarse scanner does; averaging optical density would not be the same, because a logarithm lies between.

*Laboratory.* Stains differ in colour and strength, which scale optical density, and tinted glass adds to it. No single
tile tells strong staining from dense tissue; with ``normalised``, the section's staining is found in a sample of its
tiles, and each is seen as if stained as usual. What is left moves all spots of a section nearly alike. Colours are
averaged over tissue and its share is a feature of its own, so that the edge of a section does not look pale.
"""

from dataclasses import replace
from typing import Self

import torch
from jaxtyping import Float, Float32, UInt8
from pydantic import Field
from torch import Tensor

from spacrd_core.cards import ComponentOptions
from spacrd_encoders.backbone.tiles import check_tiles
from spacrd_encoders.plugin import STAIN
from spacrd_encoders.stain_normalisation import Staining

WINDOWS_UM = (100, 200, 400)
FEATURES = {
    "tissue": "share of the window that is tissue; low in fat, lumens, tears and at the edge of a section",
    "density": "mean optical density of the tissue, whatever stains it",
    "haematoxylin": "mean haematoxylin: chromatin, and the ribosome-rich cytoplasm of proliferating cells",
    "eosin": "mean eosin: collagen, muscle, cytoplasm",
    "blueness": "red minus green share of the optical density: nuclei or matrix, by no assumed stain vectors",
    "nuclei": "share of red light absorbed, nearly the share of the area that is nuclei: eosin lets red through",
    "haematoxylin_contrast": "log deviation of haematoxylin: nests and glands against stroma, or one even sheet",
    "eosin_contrast": "log deviation of eosin: bundles of matrix against cells",
    "mixing": "correlation of haematoxylin and eosin: below zero where cells and matrix keep apart",
    "alignment": "how far edges share one direction: collagen and muscle do, tumour nests and lymphocytes do not",
    "grain": "log ratio of texture 15-25 um wide to texture 25-40 um wide: crowded cells against wide structures",
}

NORMALISED = replace(STAIN, settings='{"version": 1, "staining": "usual"}')

# Optical density of red, green and blue in pure haematoxylin, eosin and what is left (Ruifrok & Johnston 2001).
STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
# Tinted glass has a mean optical density up to 0.1 on real slides, pale fat and collagen 0.15 to 0.2.
TISSUE_DENSITY, TISSUE_SOFTNESS = 0.15, 0.03
# Passes of a 1-2-1 filter; n of them blur by sqrt(n / 2) px of 12.5 um.
COMMON_BLUR, FINE_BLUR, COARSE_BLUR = 3, 4, 20
# What counts as no variance: far below that of tissue, above that of 8-bit rounding.
FLOOR = 1e-4
# Tiles whose maps fit in a processor's cache: six times faster than a thousand at once.
AT_ONCE = 64


class Stain:
    """Optical density, haematoxylin and eosin, nuclear density and texture, 100, 200 and 400 um round a spot."""

    class Options(ComponentOptions):
        """Whether to allow for the laboratory."""

        normalised: bool = Field(default=False, description="See every section as if stained as usual.")

    def __init__(self, options: Options, staining: Staining | None = None) -> None:
        self.options = options
        self.recipe = NORMALISED if options.normalised else STAIN
        self.staining = staining

    def to(self, device: torch.device) -> Self:  # noqa: ARG002 - there is nothing to move: it works where the tiles are
        """Return self."""
        return self

    def adapt(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> "Stain":
        """Return the encoder for sections stained like these tiles; as it is where they show too little tissue."""
        check_tiles(tiles, self.recipe)
        if not self.options.normalised:
            return self
        pixels = optical_density(coarse_light(tiles)).movedim(1, -1).reshape(-1, 3)
        return Stain(self.options, Staining.of(pixels.cpu().numpy().astype("float64")))

    @torch.inference_mode()
    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding a tile: the features of the narrowest window, then of the wider ones."""
        check_tiles(tiles, self.recipe)
        return torch.cat([describe(*self._seen(part)) for part in tiles.split(AT_ONCE)])

    def _seen(self, tiles: UInt8[Tensor, "n 3 h w"]) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n 3 h w"]]:
        """Return the light that tiles let through, and their optical density."""
        light = coarse_light(tiles)
        density = optical_density(light)
        if self.staining is None:
            return light, density
        usual = self.staining.undone(density)
        return 10**-usual, usual


def coarse_light(tiles: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Return the light of tiles, from 0 to 1, as a scanner with wide pixels would see it."""
    return blur(tiles.float() / 255, COMMON_BLUR)


def optical_density(light: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Return the optical density that leaves so much light."""
    return -torch.log10(light.clamp(min=1 / 256))


def describe(light: Float[Tensor, "n 3 h w"], density: Float[Tensor, "n 3 h w"]) -> Float32[Tensor, "n dim"]:
    """Return the features of every window."""
    mean = density.mean(1, keepdim=True)
    maps = torch.cat([1 - light[:, :1], density, unmix(density), texture(mean)], dim=1)
    tissue = torch.sigmoid((mean - TISSUE_DENSITY) / TISSUE_SOFTNESS)
    windows = [window(um) for um in WINDOWS_UM]
    return torch.cat([statistics(maps[..., w, w], tissue[..., w, w]) for w in windows], dim=1)


def window(um: int) -> slice:
    """Return the rows, or columns, of a centred window."""
    margin = round((STAIN.patch_um - um) / 2 / STAIN.um_per_px)
    return slice(margin, STAIN.input_px - margin)


def blur(images: Float[Tensor, "n c h w"], passes: int) -> Float[Tensor, "n c h w"]:
    """Pass a 1-2-1 filter over rows and columns; the edge repeats its last pixel."""
    one = torch.eye(images.shape[-1], device=images.device)
    padded = torch.cat([one[:1], one, one[-1:]])
    rows: Tensor = torch.linalg.matrix_power(padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4, passes)
    return rows @ images @ rows.T


def unmix(density: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 2 h w"]:
    """Return the amounts of haematoxylin and eosin that make up an optical density."""
    stains = torch.tensor(STAINS, device=density.device)
    amounts = torch.linalg.inv(stains / stains.norm(dim=1, keepdim=True))[:, :2]
    return torch.einsum("nchw,cs->nshw", density, amounts)


def texture(density: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 5 h w"]:
    """Return the three products of the gradient, and the energies of fine and of coarse texture."""
    padded = torch.nn.functional.pad(density, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    middle = blur(density, FINE_BLUR)
    fine, coarse = density - middle, middle - blur(density, COARSE_BLUR)
    return torch.cat([across**2, down**2, across * down, fine**2, coarse**2], dim=1)


def statistics(maps: Float[Tensor, "n c h w"], tissue: Float[Tensor, "n 1 h w"]) -> Float32[Tensor, "n features"]:
    """Return the features of one window, in the order of ``FEATURES``.

    Means are over tissue; bare glass counts for a thousandth, so that a window without tissue has numbers too.
    """
    weights = tissue + 1e-3
    weights = weights / weights.sum((2, 3), keepdim=True)
    means = (maps * weights).sum((2, 3), keepdim=True)
    absorbed, red, green, blue, haem, eosin, xx, yy, xy, fine, coarse = means.flatten(1).unbind(1)
    stains = maps[:, 4:6] - means[:, 4:6]
    var_haem, var_eosin = (stains**2 * weights).sum((2, 3)).unbind(1)
    covariance = (stains.prod(1, keepdim=True) * weights).sum((1, 2, 3))
    density = red + green + blue
    features = (
        tissue.mean((1, 2, 3)),
        density / 3,
        haem,
        eosin,
        (red - green) / (density + 0.05),
        absorbed,
        torch.log(var_haem + FLOOR) / 2,
        torch.log(var_eosin + FLOOR) / 2,
        covariance / torch.sqrt(var_haem * var_eosin + FLOOR**2),
        torch.hypot(xx - yy, 2 * xy) / (xx + yy + FLOOR),
        torch.log((fine + FLOOR / 10) / (coarse + FLOOR / 10)) / 2,
    )
    return torch.stack(features, dim=1)
