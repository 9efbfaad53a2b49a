"""Draw the cells on the H&E where a registration puts them: the whole image, and a detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.register import Registration

DETAIL_UM = 1200.0  # side of the detail
INCHES, DPI = 7.5, 150
CELL_COLOUR = "#00e5ff"  # neither pink nor violet
MAX_SHOWN = 30_000  # cells on the whole image


def write_picture(he: NuclearDensity, xy_um: Array, registration: Registration, path: Path) -> None:
    """Write the picture as PNG; ``xy_um`` are the cells."""
    cells = registration.placement.to_px(xy_um)
    figure = Figure(figsize=(2 * INCHES, INCHES + 0.6), dpi=DPI, layout="constrained")
    whole, detail = figure.subplots(1, 2)
    for axes in (whole, detail):
        axes.imshow(he.colours, extent=(0, he.colours.shape[1], he.colours.shape[0], 0))
        axes.set(xticks=[], yticks=[])
    shown = np.random.default_rng(0).permutation(len(cells))[:MAX_SHOWN]
    _draw_cells(whole, cells[shown], 0.4)
    side = DETAIL_UM / registration.placement.um_per_px
    left, top = _densest(cells, side)
    whole.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor="black"))
    _draw_cells(detail, cells, 5.0)
    detail.set(xlim=(left, left + side), ylim=(top + side, top))
    whole.set_title("cells (blue) on the H&E", loc="left")
    detail.set_title(f"detail, {DETAIL_UM:g} um wide: cells lie on nuclei where the alignment is right", loc="left")
    figure.suptitle(f"{_verdict(registration)}\n{registration.placement.description}")
    text = f"Cells on an H&E as --align auto proposes: {_verdict(registration)}"
    FigureCanvasAgg(figure).print_figure(path, format="png", metadata={"Software": None, "Description": text})


def _draw_cells(axes: Axes, cells: Array, size: float) -> None:
    axes.scatter(cells[:, 0], cells[:, 1], s=size, c=CELL_COLOUR, linewidths=0, alpha=0.7)


def _densest(cells: Array, side: float) -> tuple[float, float]:
    """Return the top left corner of the square of a side that has the most cells."""
    squares, counts = np.unique(np.floor(cells / side), axis=0, return_counts=True)
    left, top = squares[counts.argmax()] * side
    return float(left), float(top)


def _verdict(registration: Registration) -> str:
    score = f"score {registration.score:.2f} ({registration.agreeing} of {registration.tiles} tiles)"
    return f"accepted: {score}" if registration.is_certain else f"refused: {'; '.join(registration.doubts)}"
