"""A section on the axes of matplotlib."""

from typing import Any

import numpy as np
import pytest
from core.results.conftest import Make
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from numpy.testing import assert_allclose

from spacrd_core.results.axes.draw import draw_calls, draw_labels, draw_probability, draw_tissue
from spacrd_core.results.axes.spots import MAX_VECTORS
from spacrd_core.results.colours import PALETTE
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import LABEL_STYLES


@pytest.fixture
def ax() -> Axes:
    return Figure(layout="constrained").subplots()


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def spots_of(ax: Axes, number: int = 0) -> Any:
    return ax.collections[number]


def test_the_unit_is_um_and_y_grows_downwards(ax: Axes, make_result: Make) -> None:
    result = make_result()
    draw_tissue(ax, result)
    view = section_viewport(result)
    assert ax.get_xlim() == (view.left * 0.5, view.right * 0.5)
    assert ax.get_ylim() == (view.bottom * 0.5, view.top * 0.5)
    assert ax.get_aspect() == 1
    assert [*ax.images[0].get_extent()] == [0, 3000, 3000, 0]  # 300 px of 10 um
    assert ax.texts[0].get_text() == "500 µm"
    assert not ax.collections


def test_the_slide_may_have_another_scale_and_begin_elsewhere(ax: Axes, make_result: Make) -> None:
    draw_tissue(ax, make_result(slide_um_per_full_px=0.25, thumbnail_corner_um=(100.0, 50.0)))
    assert [*ax.images[0].get_extent()] == [200, 6200, 6100, 100]


def test_discs_are_where_the_spots_are_and_as_large(ax: Axes, make_result: Make) -> None:
    result = make_result()
    draw_probability(ax, result)
    assert_allclose(spots_of(ax).get_offsets(), result.positions[["x_um", "y_um"]])
    assert_allclose(spots_of(ax).get_widths(), 55.0)
    expected = PALETTE(result.probability)[:, :3]
    assert_allclose(spots_of(ax).get_facecolor()[:, :3], expected)


def test_squares_are_turned_with_the_lattice(ax: Axes, make_result: Make) -> None:
    result = make_result("square", spot_shape="square", spot_um=100.0, degrees=30.0)
    draw_probability(ax, result)
    corners = np.array([path.vertices[:4] for path in spots_of(ax).get_paths()])
    assert_allclose(corners.mean(axis=1), result.positions[["x_um", "y_um"]])
    side = corners[0, 1] - corners[0, 0]
    assert np.hypot(*side) == pytest.approx(100.0)
    neighbours = result.points[1] - result.points[0]
    assert abs(np.sin(2 * (np.arctan2(*side) - np.arctan2(*neighbours)))) < 1e-6  # along the lattice or across it


def test_uncertain_spots_have_rings_and_the_legend_tells_all_that_is_drawn(ax: Axes, make_result: Make) -> None:
    result = make_result()
    uncertain = (result.spots["label"] == "uncertain").to_numpy()
    assert uncertain.any()
    draw_probability(ax, result)
    rings = spots_of(ax, 1)
    assert len(rings.get_offsets()) == uncertain.sum()
    assert not len(rings.get_facecolor())
    assert legend(ax) == [f"uncertain: {uncertain.sum()} spots", f"cancer regions: {result.cancer_mm2:.3g} mm²"]
    assert len([patch for patch in ax.patches if isinstance(patch, PathPatch)]) == len(result.regions) == 1
    assert ax.child_axes[0].get_ylabel() == "probability of cancer"
    assert np.asarray(ax.child_axes[0].lines[-1].get_ydata())[0] == result.threshold


def test_spots_of_unknown_probability_are_not_drawn(ax: Axes, make_result: Make) -> None:
    result = make_result()
    result.spots.iloc[:3, result.spots.columns.get_loc("probability")] = np.nan
    draw_probability(ax, result, legend=False)
    assert len(spots_of(ax).get_offsets()) == len(result.spots) - 3
    assert legend(ax) == []
    assert not ax.child_axes


def test_calls_have_their_colours_and_are_counted(ax: Axes, make_result: Make) -> None:
    result = make_result()
    draw_calls(ax, result)
    counts = result.spots["label"].value_counts()
    groups: list[Any] = [*ax.collections]
    drawn = {to_rgb(spots.get_facecolor()[0][:3]): len(spots.get_offsets()) for spots in groups}
    assert drawn == {to_rgb(style.hex_colour): counts[name] for name, style in LABEL_STYLES.items()}
    assert legend(ax)[:3] == [f"{name}: {counts[name]} spots" for name in LABEL_STYLES]


def test_a_section_without_regions_says_why(ax: Axes, make_result: Make) -> None:
    draw_calls(ax, make_result(regions_rule="never"))
    assert ax.get_title() == "S1\nregions switched off"
    assert not [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def test_unknown_labels_are_left_out(ax: Axes, make_result: Make) -> None:
    result = make_result()
    labels = np.full(len(result.spots), -1)
    labels[:5] = 1
    draw_labels(ax, result, labels)
    assert legend(ax) == ["cancer: 5 spots"]
    assert len(spots_of(ax).get_offsets()) == 5


def test_many_spots_are_a_picture_inside_a_vector_file(ax: Axes, make_result: Make) -> None:
    side = int(MAX_VECTORS**0.5) + 1
    draw_calls(ax, make_result(side=side), legend=False)
    assert all(spots.get_rasterized() for spots in ax.collections)
