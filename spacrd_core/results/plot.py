"""Draw a section of a store on the axes of matplotlib, for notebooks and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from spacrd_core.cohort.section_data import label_values
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.predictions import read_predictions
from spacrd_core.errors import ConfigError
from spacrd_core.results.axes.draw import draw_calls, draw_labels, draw_probability, draw_tissue
from spacrd_core.results.build import section_result, uncalled
from spacrd_core.results.choose_calls import choose_calls

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.store.store import SpotStore

What = Literal["probability", "call", "labels", "tissue"]


def plot_section(
    store: SpotStore,
    detector: Detector | Path | str | None,
    section: str,
    ax: Axes | None = None,
    *,
    what: What = "probability",
    regions: RegionsRule | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a section on its H&E and return the axes, whose unit is um; y grows downwards, as in the image.

    >>> ax = plot_section(store, "detector", "S3", what="call")
    >>> ax.figure.savefig("S3.pdf")

    Spots have their true size. They are vector graphics, of which figures of more than 5,000 spots keep a picture.

    Parameters
    ----------
    detector
        Whose calls: a detector, its folder, ``prior``, its key in the store, or None if only one has called the
        section. Labels and the tissue need none.
    ax
        The axes to draw on; by default, those of a new figure.
    what
        The probability of cancer with the threshold and open rings around uncertain spots, the call of every spot, the
        labels that the section was ingested with, or the H&E alone.
    regions
        Whether the outlines of cancer regions are drawn with probabilities and calls: ``auto`` leaves them out of a
        section whose calls cannot be relied on; the title says why. The default is the rule given to ``detect``.
    legend
        Whether there is a colour bar or a legend.

    Raises
    ------
    UnknownSection
        If the detector has not called the section, or the store does not have it.
    InputError
        If several detectors have called the section and none is given.
    """
    if what not in get_args(What):
        raise ConfigError(f"a section cannot be drawn by '{what}'", hint=f"what: {', '.join(get_args(What))}")
    if what in {"labels", "tissue"}:
        result = uncalled(store, section)
    else:
        key, _ = choose_calls(store, _name(detector), [section])
        result = section_result(store, section, *read_predictions(store, section, key), regions)
    ax = ax or _new_axes()
    if what == "probability":
        draw_probability(ax, result, legend=legend)
    elif what == "call":
        draw_calls(ax, result, legend=legend)
    elif what == "labels":
        draw_labels(ax, result, label_values(result.adata), legend=legend)
    else:
        draw_tissue(ax, result)
    return ax


def _name(detector: Detector | Path | str | None) -> str | None:
    """Return a detector as :func:`choose_calls` takes it."""
    if isinstance(detector, Detector):
        return detector.config.key
    return None if detector is None else str(detector)


def _new_axes() -> Axes:
    from matplotlib import pyplot as plt  # noqa: PLC0415 - chooses a backend

    return plt.subplots(layout="constrained")[1]
