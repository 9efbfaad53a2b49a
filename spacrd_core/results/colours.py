"""The colours of calls and of probabilities, in every picture and in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from spacrd_core.results.result import Label

# Dark green to yellow: no blue, purple or pink, which are the colours of H&E. Equal steps of probability look equally
# far apart (CIEDE2000), and lightness alone tells them apart for colour-blind readers.
PROBABILITY_COLOURS = (
    *("#004530", "#005b38", "#16723c", "#32863e", "#4e9b3e"),
    *("#6fb13b", "#95c835", "#c1de2c", "#f0f321"),
)
PALETTE = LinearSegmentedColormap.from_list("probability of cancer", PROBABILITY_COLOURS)
PALETTE_STEPS = 64
REGION_COLOUR = LABEL_STYLES["cancer"].hex_colour
UNCERTAIN_COLOUR = LABEL_STYLES["uncertain"].hex_colour
FAINT = 0.55  # opacity of spots below the threshold, relative to that of the others; draw.js has the same


def palette_steps() -> list[str]:
    """Return the colours from probability 0 to 1 in equal steps, as ``#rrggbb``."""
    return [to_hex(colour) for colour in PALETTE(np.linspace(0, 1, PALETTE_STEPS))]


def probability_colours(probability: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the colour of each probability, 8-bit RGB."""
    return np.asarray(PALETTE(probability, bytes=True)[:, :3])


def call_colours(labels: Iterable[Label]) -> NDArray[np.uint8]:
    """Return the colour of each call, 8-bit RGB: as in QuPath."""
    return np.array([LABEL_STYLES[label].colour for label in labels], dtype=np.uint8).reshape(-1, 3)
