"""Draw a section of a store."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MakeSection
from matplotlib.figure import Figure

from spacrd_core import plot_section
from spacrd_core.errors import ConfigError, UnknownSection
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    return store


def test_labels_lie_on_their_tissue(store: SpotStore) -> None:
    ax = Figure().subplots()
    assert plot_section(store, None, "S1", ax, what="labels") is ax
    picture, (left, right, bottom, top) = ax.images[0].get_array(), ax.images[0].get_extent()
    assert picture is not None
    scale = np.array([picture.shape[1] / (right - left), picture.shape[0] / (bottom - top)])
    cancer, normal = (np.asarray(spots.get_offsets()) for spots in ax.collections)
    for spots, is_dark in ((cancer, True), (normal, False)):
        columns, rows = ((spots - (left, top)) * scale).astype(int).T
        assert ((picture[rows, columns, 1] < 100) == is_dark).all()  # the tissue of cancer is darker
    assert len(cancer) + len(normal) == 144


def test_without_axes_it_makes_a_figure(store: SpotStore) -> None:
    ax = plot_section(store, None, "S1", what="tissue")
    assert isinstance(ax.figure, Figure)
    assert (len(ax.images), len(ax.collections)) == (1, 0)


def test_calls_that_are_not_there_and_unknown_kinds_are_explained(store: SpotStore) -> None:
    with pytest.raises(UnknownSection, match="contains no calls yet"):
        plot_section(store, None, "S1")
    with pytest.raises(ConfigError, match="cannot be drawn by 'genes'") as caught:
        plot_section(store, None, "S1", what="genes")  # type: ignore[arg-type]
    assert caught.value.hint == "what: probability, call, labels, tissue"
