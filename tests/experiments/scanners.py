"""The same section by another scanner or laboratory: each function maps a picture, uint8 RGB, to another.

Pictures have about ``UM_PER_PX``; a picture by a coarser scanner has fewer pixels.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import numpy as np
from PIL import Image

from spacrd_core.arrays import Array, UInt8Array
from spacrd_encoders.stain import STAINS

Scanner = Callable[[UInt8Array], UInt8Array]
UM_PER_PX = 5.0
LUMINANCE = (0.299, 0.587, 0.114)
MIXED_CHANNELS = ((0.85, 0.10, 0.05), (0.08, 0.84, 0.08), (0.02, 0.13, 0.85))
SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


def gamma(picture: UInt8Array, exponent: float) -> UInt8Array:
    """Another tone curve: above 1, all but white is darker."""
    return as_bytes((picture / 255) ** exponent * 255)


def gains(picture: UInt8Array, factors: Sequence[float] | Array) -> UInt8Array:
    """Another colour of the lamp, or another white balance."""
    return as_bytes(picture * np.array(factors))


def colour_matrix(picture: UInt8Array, matrix: Sequence[Sequence[float]] | Array) -> UInt8Array:
    """Other spectral sensitivities; every row makes a channel of the old red, green and blue."""
    return as_bytes(picture @ np.array(matrix).T)


def saturation(picture: UInt8Array, factor: float) -> UInt8Array:
    """Colours farther from grey (above 1) or nearer to it; 0 is grey."""
    grey = (picture @ np.array(LUMINANCE))[..., None]
    return as_bytes(grey + factor * (picture - grey))


def stain_amounts(picture: UInt8Array, haematoxylin: float, eosin: float) -> UInt8Array:
    """Other amounts of the two stains, as optical densities after unmixing."""
    colours = np.array(STAINS) / np.linalg.norm(STAINS, axis=1, keepdims=True)
    amounts = -np.log10(np.maximum(picture, 1) / 255) @ np.linalg.inv(colours)
    return as_bytes(255 * 10 ** -((amounts * (haematoxylin, eosin, 1)) @ colours))


def coarse(picture: UInt8Array, factor: int) -> UInt8Array:
    """Pixels of ``factor`` times the width; each is the mean of what it covers."""
    return np.asarray(Image.fromarray(picture).reduce(factor))


def jpeg(picture: UInt8Array, quality: int) -> UInt8Array:
    """What is left of the picture after JPEG compression."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def in_turn(*steps: Scanner) -> Scanner:
    """All these changes, the first one first."""
    return lambda picture: reduce(lambda changed, step: step(changed), steps, picture)


def as_bytes(values: Array) -> UInt8Array:
    return np.asarray(values.round().clip(0, 255).astype(np.uint8))


MILD: Mapping[str, Scanner] = {
    "gamma 0.7": partial(gamma, exponent=0.7),
    "gamma 1.5": partial(gamma, exponent=1.5),
    "gains": partial(gains, factors=(0.92, 1.0, 0.88)),
    "colour matrix": partial(colour_matrix, matrix=MIXED_CHANNELS),
    "stain amounts": partial(stain_amounts, haematoxylin=0.8, eosin=1.25),
    "15 um/px": partial(coarse, factor=3),
    "JPEG 15": partial(jpeg, quality=15),
}
OLD = "old"
STRONG: Mapping[str, Scanner] = {
    "grey": partial(saturation, factor=0.0),
    "yellow cast": partial(gains, factors=(1.0, 0.92, 0.6)),
    "brown": partial(colour_matrix, matrix=SEPIA),
    "over-saturated": partial(saturation, factor=2.5),
    "strong haematoxylin": partial(stain_amounts, haematoxylin=2.0, eosin=1.0),
    "weak haematoxylin": partial(stain_amounts, haematoxylin=0.3, eosin=1.0),
    OLD: in_turn(
        partial(coarse, factor=3),
        partial(gamma, exponent=2.2),
        partial(gains, factors=(0.95, 0.85, 0.7)),
        partial(jpeg, quality=8),
    ),
}


def drawn(seed: int) -> Scanner:
    """A scanner and a laboratory at random: every property differs, by chance little or much."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))
    return in_turn(
        partial(coarse, factor=int(rng.integers(1, 4))),
        partial(stain_amounts, haematoxylin=log_uniform(rng, 0.4, 2), eosin=log_uniform(rng, 0.4, 2)),
        partial(saturation, factor=rng.uniform(0.2, 2)),
        partial(colour_matrix, matrix=mixing / mixing.sum(axis=1, keepdims=True)),
        partial(gamma, exponent=log_uniform(rng, 0.6, 2.2)),
        partial(gains, factors=rng.uniform(0.7, 1, 3)),
        partial(jpeg, quality=int(rng.integers(8, 60))),
    )


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


DRAWN: Mapping[str, Scanner] = {f"drawn {seed}": drawn(seed) for seed in range(8)}
