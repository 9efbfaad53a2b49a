"""What objects of a platform state in um: centres and areas of cells, the distance of px, bins beside cells."""

from collections.abc import Callable

import numpy as np
import pytest
import shapely
from bundles.spatialdata_object import (
    SMALL,
    affine,
    bins,
    cell_places,
    cells,
    shapes,
    stereo_bins,
    table,
    xenium_labels,
)
from bundles.spatialdata_object import xenium as xenium_boundaries
from bundles.tissue import Pose
from spatialdata.models import Labels2DModel
from spatialdata.transformations import set_transformation

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.tenx.cell_spots import square_spots

Read = Callable[..., Section]
NO_IMAGE = ImageInputs(with_image=False)
UM = cell_places(SMALL, count=500)


def test_cells_with_labels_are_where_their_platform_says(read: Read) -> None:
    section, expected = read(xenium_labels(UM, SMALL), NO_IMAGE), square_spots(UM, 100.0)
    assert section.um_per_px == pytest.approx(0.2125, rel=1e-4)
    assert list(section.counts.obs_names) == list(expected.table.index)
    assert (section.counts.obs["n_cells"] == expected.table["n_cells"]).all()
    assert "a unit of the coordinate system is 0.2125 um, from the positions in obsm['spatial']" in section.notes


@pytest.mark.slow
def test_a_given_unit_leaves_cells_where_their_platform_says(read: Read) -> None:
    section = read(xenium_labels(UM, SMALL), ImageInputs(with_image=False, um_per_px=0.2125), unit="cell")
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], UM, rtol=1e-4)
    assert section.um_per_px == 0.2125


@pytest.mark.slow
def test_the_platforms_centres_are_mapped_into_a_turned_system(read: Read) -> None:
    elements = xenium_labels(UM, SMALL)
    turn = np.array([[0.0, -2.0, 3000.0], [2.0, 0.0, 10.0], [0.0, 0.0, 1.0]])
    set_transformation(elements["labels"]["cell_labels"], {"slide": affine(turn)}, set_all=True)
    section = read(elements, NO_IMAGE, unit="cell")
    assert section.um_per_px == pytest.approx(0.2125 / 2, rel=1e-3)
    expected = np.column_stack([3000 - UM[:, 1] * 2 / 0.2125, 10 + UM[:, 0] * 2 / 0.2125])
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], expected, atol=2.0)


@pytest.mark.slow
def test_positions_that_do_not_belong_to_the_cells_are_not_used(read: Read) -> None:
    elements = xenium_labels(UM, SMALL)
    elements["tables"]["table"].obsm["spatial"] = UM[::-1].copy()
    section = read(elements, NO_IMAGE)
    assert any("from the areas in obs['cell_area']" in note for note in section.notes)


@pytest.mark.slow
def test_boundaries_with_the_cells_ids_replace_labels_that_were_not_kept(read: Read) -> None:
    elements = xenium_boundaries(UM, None, SMALL)
    cell_table = elements["tables"]["table"].copy()
    ids = cell_table.obs["instance"].tolist()
    del cell_table.uns["spatialdata_attrs"]
    elements["tables"]["table"] = table(cell_table, "cell_labels", "cell_labels", ids)
    section = read(elements, NO_IMAGE)
    assert (section.counts.obs["n_cells"] == square_spots(UM, 100.0).table["n_cells"]).all()
    assert section.um_per_px == pytest.approx(0.2125)
    note = "the object does not hold the table's region 'cell_labels'; its ids are those of 'cell_boundaries'"
    assert any(note in other for other in section.notes)


@pytest.mark.slow
def test_ids_that_are_numbers_are_found_in_no_other_shapes(read: Read) -> None:
    elements = xenium_boundaries(UM, None, SMALL)
    cell_table = elements["tables"]["table"].copy()
    del cell_table.uns["spatialdata_attrs"], cell_table.obsm["spatial"]
    elements["tables"]["table"] = table(cell_table, "cell_labels", "cell_labels", range(len(UM)))
    with pytest.raises(GeometryError, match=r"annotates cell_labels, which .* does not hold"):
        read(elements, NO_IMAGE)


@pytest.mark.slow
def test_of_stereo_seq_the_cells_are_read_with_the_distance_of_its_px(read: Read) -> None:
    section, expected = read(stereo_bins()), square_spots(cell_places(SMALL, count=400), 100.0)
    assert section.um_per_px == 0.5
    assert (section.counts.obs["n_cells"] == expected.table["n_cells"]).all()
    assert any("the table 'cells_table' was read; others: bin20_table" in note for note in section.notes)
    assert any("uns/cellBin_attrs/resolution of the table 'cells_table', in nm" in note for note in section.notes)


@pytest.mark.slow
def test_bins_of_stereo_seq_are_points_at_their_corners(read: Read) -> None:
    section = read(stereo_bins(), table="bin20_table", unit="cell")
    first = section.counts.obs.loc["0", ["x_um", "y_um"]].astype(float)
    np.testing.assert_allclose(first, [5.0, 5.0])


def test_bins_of_stereo_seq_are_summed_into_squares(read: Read) -> None:
    elements = stereo_bins()
    section = read(elements, table="bin20_table")
    assert (section.spot_um, section.spot_shape, section.pitch_um) == (100.0, "square", 100.0)
    assert section.counts.X.sum() == elements["tables"]["bin20_table"].X.sum()
    assert set(section.counts.obs["n_cells"]) <= {100, 80}
    assert any(note.startswith("bins 10 um apart were summed") for note in section.notes)


@pytest.mark.slow
def test_wide_bins_of_stereo_seq_are_square_spots(read: Read) -> None:
    section = read(stereo_bins(px_per_bin=100), table="bin100_table")
    assert (section.spot_um, section.spot_shape, section.pitch_um) == (50.0, "square", 50.0)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]].min(), [25.0, 25.0])


@pytest.mark.slow
def test_cells_beside_bins_of_visium_hd_take_their_unit(read: Read) -> None:
    pose, um = Pose(um_per_px=0.7, degrees=5), cell_places(SMALL, count=400)
    elements = bins(pose)
    ids = [f"cellid_{number:09d}-1" for number in range(len(um))]
    outlines = shapely.buffer(shapely.points(pose.to_px(SMALL, um)), 4 / 0.7)
    elements["shapes"]["HD_cell_segmentations"] = shapes(outlines, ids, system="HD")
    elements["tables"]["cell_segmentations"] = table(
        cells(um, SMALL), "HD_cell_segmentations", "HD_cell_segmentations", ids
    )
    section = read(elements, NO_IMAGE, table="cell_segmentations")
    assert section.um_per_px == pytest.approx(0.7)
    assert any("from the 8 um bins of 'HD_square_008um'" in note for note in section.notes)


@pytest.mark.slow
def test_labels_of_one_px_are_bins_whose_corners_the_library_maps_to_their_centres(read: Read) -> None:
    """As spatialdata.rasterize_bins writes them, with spatialdata-io's ``annotate_table_by_labels``."""
    pose = Pose(um_per_px=1.0)
    elements = bins(pose)
    bin_table, columns = elements["tables"]["square_008um"].copy(), int(SMALL.size_um[0] // 8)
    rows = bin_table.n_obs // columns
    picture = np.arange(1, bin_table.n_obs + 1, dtype=np.int32).reshape(rows, columns)
    matrix = np.diag([8.0, 8.0, 1.0])
    matrix[:2, 2] = pose.to_px(SMALL, np.array([[4.0, 4.0]]))[0]
    name = "HD_square_008um_labels"
    elements["labels"] = {name: Labels2DModel.parse(picture, dims=("y", "x"), transformations={"HD": affine(matrix)})}
    del bin_table.uns["spatialdata_attrs"]
    elements["tables"] = {"square_008um": table(bin_table, name, name, picture.ravel())}
    first = read(elements, NO_IMAGE).counts.obs.iloc[0]
    np.testing.assert_allclose(first[["x_px", "y_px"]].astype(float), pose.to_px(SMALL, np.array([[28.0, 28.0]]))[0])
