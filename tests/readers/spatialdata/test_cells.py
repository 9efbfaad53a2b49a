"""Cells and bins of a SpatialData object, which are summed into squares as on their own platforms."""

from collections.abc import Callable

import numpy as np
import pytest
from bundles.spatialdata_object import SMALL, TISSUE, bins, cell_places, cells, cosmx, xenium
from bundles.tissue import Pose

from spacrd_core.errors import ConfigError, GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.tenx.cell_spots import square_spots

Read = Callable[..., Section]
NO_IMAGE = ImageInputs(with_image=False)
UM = cell_places()


def test_cells_of_xenium_are_summed_into_the_squares_of_the_xenium_reader(read: Read) -> None:
    section, expected = read(xenium(UM), NO_IMAGE), square_spots(UM, 100.0)
    assert list(section.counts.obs_names) == list(expected.table.index)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], expected.table[["x_um", "y_um"]])
    assert (section.counts.obs["n_cells"] == expected.table["n_cells"]).all()
    assert section.um_per_px == pytest.approx(0.2125)
    genes = cells(UM).X[:, :-1].toarray().astype(int)
    for gene in range(genes.shape[1]):
        sums = np.bincount(expected.spot_of_cell, weights=genes[:, gene])
        np.testing.assert_array_equal(section.counts.X[:, gene].toarray().ravel(), sums)
    assert "features that are not genes, left out: control (1)" in section.notes
    assert "a unit of the coordinate system is 0.2125 um, from the positions in obsm['spatial']" in section.notes


def test_labels_of_cells_refer_to_their_ids(read: Read) -> None:
    sub_spots = read(xenium(UM), NO_IMAGE).sub_spots
    assert sub_spots is not None
    assert sub_spots.kind == "cell"
    assert sub_spots.ids[0] == b"cell00000-1"
    assert (sub_spots.spots == square_spots(UM, 100.0).spot_of_cell).all()


@pytest.mark.slow
def test_a_turned_and_aligned_slide_is_the_frame_of_the_px(read: Read) -> None:
    pose = Pose(um_per_px=2.0, degrees=30)
    section = read(xenium(UM, pose))
    assert section.slide is not None
    assert (section.slide.path.name, section.slide.scale) == ("he_image", 1.0)
    assert section.um_per_px == pytest.approx(2.0)
    obs = section.counts.obs
    expected = pose.to_px(TISSUE, obs[["x_um", "y_um"]].to_numpy())
    np.testing.assert_allclose(obs[["x_px", "y_px"]], expected, atol=1e-6)
    assert any("morphology_focus (its 4 channels" in note for note in section.notes)


@pytest.mark.slow
def test_a_spot_can_be_one_cell(read: Read) -> None:
    section = read(xenium(UM), NO_IMAGE, unit="cell")
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], UM)
    assert section.spot_um == pytest.approx(2 * 8 / np.sqrt(np.pi))
    assert section.sub_spots is None


def test_positions_in_um_give_the_scale_where_no_areas_are_stated(read: Read) -> None:
    elements = xenium(UM)
    table = elements["tables"]["table"]
    table.obs = table.obs.drop(columns=["cell_area", "transcript_counts", "control_probe_counts"]).assign(
        fov=1, volume=500.0
    )
    assert read(elements, NO_IMAGE).um_per_px == pytest.approx(0.2125)


def test_areas_of_an_unknown_platform_are_not_taken_for_um2(read: Read) -> None:
    elements = xenium(UM)
    table = elements["tables"]["table"]
    table.obs = table.obs.drop(columns=["transcript_counts", "control_probe_counts"])
    with pytest.raises(GeometryError, match="um per unit of the coordinate system"):
        read(elements, NO_IMAGE)


@pytest.mark.slow
def test_labels_of_fields_of_view_are_parts_of_one_section(read: Read) -> None:
    um = cell_places(SMALL, count=400)
    section = read(cosmx(um, um_per_px=0.5))
    assert section.um_per_px == pytest.approx(0.5, rel=0.02)
    assert section.counts.obs["n_cells"].sum() >= 0.98 * len(um)  # a few are hidden by others
    expected = square_spots(um, 100.0).table
    assert set(section.counts.obs_names) == set(expected.index)
    assert any("2 regions were read as parts of one section" in note for note in section.notes)


@pytest.mark.slow
def test_one_field_of_view_can_be_chosen(read: Read) -> None:
    um = cell_places(SMALL, count=400)
    section = read(cosmx(um, um_per_px=0.5), region="1_labels", coordinate_system="global")
    assert section.counts.obs["x_um"].max() < 300


@pytest.mark.slow
def test_bins_of_visium_hd_are_summed_along_their_array(read: Read) -> None:
    pose = Pose(um_per_px=1.0, degrees=5)
    section = read(bins(pose))
    assert (section.spot_um, section.spot_shape, section.pitch_um) == (56.0, "square", 56.0)
    first = section.counts.obs.iloc[0]
    np.testing.assert_allclose(first[["x_px", "y_px"]].astype(float), pose.to_px(SMALL, np.array([[28.0, 28.0]]))[0])
    assert first["n_bins"] == 49
    assert section.sub_spots is not None
    assert section.sub_spots.kind == "bin"
    assert section.sub_spots.ids[0] == b"s_008um_00000_00000-1"


@pytest.mark.slow
def test_squares_of_bins_must_be_a_multiple_of_the_bins(read: Read) -> None:
    with pytest.raises(ConfigError, match="not a multiple of the 8 um bins"):
        read(bins(Pose(um_per_px=1.0)), spot_um=100)
