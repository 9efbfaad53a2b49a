"""The contents of the reliability diagram."""

import io
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from spacrd_core.detector import drawing
from spacrd_core.detector import reliability_diagram as reliability
from spacrd_core.detector.reliability_diagram import reliability_png

EMPTY_BINS = [None] * 8
ST: dict[str, Any] = {
    "patients": 2,
    "ece": 0.0812,
    "spots": [30, *[0] * 8, 20],
    "probability": [0.04, *EMPTY_BINS, 0.96],
    "cancer": [0.1, *EMPTY_BINS, 0.9],
}
VISIUM = ST | {"patients": 1, "ece": 0.2, "spots": [5] * 10, "cancer": [0.5] * 10, "probability": [0.5] * 10}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The matplotlib figures of the PNG files."""
    figures: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        figures.append(figure)
        return drawing.figure_png(figure)

    monkeypatch.setattr(reliability, "figure_png", keep)
    return figures


def legend(axes: Axes) -> list[str]:
    box = axes.get_legend()
    return [text.get_text() for text in box.get_texts()] if box else []


def test_a_line_goes_through_the_bins_that_have_spots_beside_the_diagonal(drawn: list[Figure]) -> None:
    reliability_png({"st": ST})
    diagonal, line = drawn[0].axes[0].lines
    assert np.asarray(diagonal.get_xdata()).tolist() == np.asarray(diagonal.get_ydata()).tolist() == [0, 1]
    assert (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()) == ([0.04, 0.96], [0.1, 0.9])


def test_every_platform_has_its_colour_marker_and_error(drawn: list[Figure]) -> None:
    reliability_png({"st": ST, "visium": VISIUM})
    _, *lines = drawn[0].axes[0].lines
    assert legend(drawn[0].axes[0]) == ["st: ECE 0.081 (2 patients)", "visium: ECE 0.200 (1 patient)"]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 2


@pytest.mark.parametrize("platforms", [1, 2, 3])
def test_bars_count_the_spots_and_do_not_overlap(drawn: list[Figure], platforms: int) -> None:
    reliability_png({f"platform {number}": ST for number in range(platforms)})
    patches = cast("Iterable[Rectangle]", drawn[0].axes[1].patches)
    bars = [patch for patch in patches if patch.get_height()]
    assert sorted(patch.get_height() for patch in bars) == [20] * platforms + [30] * platforms
    edges = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in bars)
    assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(edges))
    assert 0 < edges[0][0] < edges[platforms - 1][1] < 0.1  # the bars of the first bin are inside it


def test_there_may_be_more_platforms_than_colours(drawn: list[Figure]) -> None:
    reliability_png({f"platform {number}": ST for number in range(7)})
    assert len(legend(drawn[0].axes[0])) == 7


def test_a_name_with_dollars_is_not_a_formula() -> None:
    assert reliability_png({"$\\frac$": ST}).startswith(b"\x89PNG")


def test_equal_metrics_give_equal_bytes_also_after_json() -> None:
    first = reliability_png({"st": ST})
    assert reliability_png(json.loads(json.dumps({"st": ST}))) == first
    picture = Image.open(io.BytesIO(first))
    assert picture.height > picture.width > 600
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10
