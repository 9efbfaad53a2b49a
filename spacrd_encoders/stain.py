"""Hand-crafted features of the staining: an encoder that needs no weights.

*Resolution.* Slides have 0.5 to 13 um/px, and only structures wider than two of the coarsest pixels are visible in all
of them. Tiles are therefore cut at 12.5 um/px and blurred before anything else. Both steps average light, as a coarse
scanner does; averaging optical density would differ, because it is logarithmic.

*Scanner.* What eosin tells changes its sign on another scanner: its amount and contrast, the balance of red and green,
and how far it goes with haematoxylin. None of these is a feature.

*Laboratory.* Stains differ in colour and strength, which scale optical density, and a tinted background adds to it. A
single tile cannot separate strong staining from dense tissue. With ``normalised``, the section's staining is estimated
from a sample of its tiles, and each tile is converted to reference staining. The remaining error shifts all spots of a
section almost equally. Colours are averaged over tissue, whose share is a separate feature, so that the edge of a
section does not look pale.
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
    "density": "mean optical density of the tissue, over all stains",
    "haematoxylin": "mean haematoxylin: chromatin, and the ribosome-rich cytoplasm of proliferating cells",
    "nuclei": "share of red light absorbed, close to the area fraction of nuclei: eosin transmits red",
    "haematoxylin_contrast": "log standard deviation of haematoxylin: high for nests and glands in stroma",
    "alignment": "anisotropy of edges: high in collagen and muscle, low in tumour nests and lymphocytes",
    "grain": "log ratio of texture 15-25 um wide to texture 25-40 um wide: crowded cells against wide structures",
}

NORMALISED = replace(STAIN, settings='{"version": 2, "staining": "usual"}')

# Optical density of red, green and blue in pure haematoxylin, eosin and the residual (Ruifrok & Johnston 2001).
STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
# On real slides, a tinted background has a mean optical density up to 0.1, pale fat and collagen 0.15 to 0.2.
TISSUE_DENSITY, TISSUE_SOFTNESS = 0.15, 0.03
# Passes of a 1-2-1 filter; n passes blur by sqrt(n / 2) px of 12.5 um.
COMMON_BLUR, FINE_BLUR, COARSE_BLUR = 3, 4, 20
# Far below the variance of tissue, above that of 8-bit rounding.
MIN_VARIANCE = 1e-4
# The feature maps of these tiles fit in a processor's cache: six times faster than a thousand at once.
BATCH_TILES = 64


class Stain:
    """Optical density, haematoxylin, nuclear density and texture, in 100, 200 and 400 um around a spot."""

    class Options(ComponentOptions):
        """Whether to correct for the laboratory's staining."""

        normalised: bool = Field(default=False, description="Normalise every section to a reference staining.")

    def __init__(self, options: Options, staining: Staining | None = None) -> None:
        self.options = options
        self.recipe = NORMALISED if options.normalised else STAIN
        self.staining = staining

    def to(self, device: torch.device) -> Self:  # noqa: ARG002 - there is nothing to move: it works on the tiles' device
        """Return self."""
        return self

    def adapt(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> "Stain":
        """Return the encoder for sections stained like these tiles; unchanged if they show too little tissue."""
        check_tiles(tiles, self.recipe)
        if not self.options.normalised:
            return self
        pixels = optical_density(coarse_light(tiles)).movedim(1, -1).reshape(-1, 3)
        return Stain(self.options, Staining.fit(pixels.cpu().numpy().astype("float64")))

    @torch.inference_mode()
    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding per tile: the features of the narrowest window, then of the wider ones."""
        check_tiles(tiles, self.recipe)
        return torch.cat([extract_features(*self._light_and_density(part)) for part in tiles.split(BATCH_TILES)])

    def _light_and_density(
        self, tiles: UInt8[Tensor, "n 3 h w"]
    ) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n 3 h w"]]:
        """Return the transmitted light of tiles, and their optical density."""
        light = coarse_light(tiles)
        density = optical_density(light)
        if self.staining is None:
            return light, density
        normalised = self.staining.normalise(density)
        return 10**-normalised, normalised


def coarse_light(tiles: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Return the light of tiles, from 0 to 1, as a coarse scanner would measure it."""
    return blur(tiles.float() / 255, COMMON_BLUR)


def optical_density(light: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Return the optical density of transmitted light."""
    return -torch.log10(light.clamp(min=1 / 256))


def extract_features(light: Float[Tensor, "n 3 h w"], density: Float[Tensor, "n 3 h w"]) -> Float32[Tensor, "n dim"]:
    """Return the features of all windows."""
    mean = density.mean(1, keepdim=True)
    maps = torch.cat([1 - light[:, :1], density, haematoxylin(density), texture(mean)], dim=1)
    tissue = torch.sigmoid((mean - TISSUE_DENSITY) / TISSUE_SOFTNESS)
    windows = [window(um) for um in WINDOWS_UM]
    return torch.cat([statistics(maps[..., w, w], tissue[..., w, w]) for w in windows], dim=1)


def window(um: int) -> slice:
    """Return the rows, or columns, of a centred window."""
    margin = round((STAIN.patch_um - um) / 2 / STAIN.um_per_px)
    return slice(margin, STAIN.input_px - margin)


def blur(images: Float[Tensor, "n c h w"], passes: int) -> Float[Tensor, "n c h w"]:
    """Apply a 1-2-1 filter to rows and columns; the edge pixel is repeated."""
    identity = torch.eye(images.shape[-1], device=images.device)
    padded = torch.cat([identity[:1], identity, identity[-1:]])
    rows: Tensor = torch.linalg.matrix_power(padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4, passes)
    return rows @ images @ rows.T


def haematoxylin(density: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 h w"]:
    """Return the amount of haematoxylin in an optical density."""
    stains = torch.tensor(STAINS, device=density.device)
    amounts = torch.linalg.inv(stains / stains.norm(dim=1, keepdim=True))[:, :1]
    return torch.einsum("nchw,cs->nshw", density, amounts)


def texture(density: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 5 h w"]:
    """Return the three gradient products, and the energies of fine and coarse texture."""
    padded = torch.nn.functional.pad(density, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    middle = blur(density, FINE_BLUR)
    fine, coarse = density - middle, middle - blur(density, COARSE_BLUR)
    return torch.cat([across**2, down**2, across * down, fine**2, coarse**2], dim=1)


def statistics(maps: Float[Tensor, "n c h w"], tissue: Float[Tensor, "n 1 h w"]) -> Float32[Tensor, "n features"]:
    """Return the features of one window, in the order of ``FEATURES``.

    Means are over tissue; background has a weight of 0.001, so that a window without tissue has finite features.
    """
    weights = tissue + 1e-3
    weights = weights / weights.sum((2, 3), keepdim=True)
    means = (maps * weights).sum((2, 3), keepdim=True)
    absorbed, red, green, blue, haem, xx, yy, xy, fine, coarse = means.flatten(1).unbind(1)
    var_haem = ((maps[:, 4:5] - means[:, 4:5]) ** 2 * weights).sum((1, 2, 3))
    features = (
        tissue.mean((1, 2, 3)),
        (red + green + blue) / 3,
        haem,
        absorbed,
        torch.log(var_haem + MIN_VARIANCE) / 2,
        torch.hypot(xx - yy, 2 * xy) / (xx + yy + MIN_VARIANCE),
        torch.log((fine + MIN_VARIANCE / 10) / (coarse + MIN_VARIANCE / 10)) / 2,
    )
    return torch.stack(features, dim=1)
