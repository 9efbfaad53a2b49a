import numpy as np
import pytest

from spacrd_readers.tenx.cell_spots import square_spots


def cells(keep: np.ndarray | None = None, *, spacing: float = 15.0, side: float = 2000.0) -> np.ndarray:
    """Return cells that fill a square unevenly."""
    random = np.random.default_rng(3)
    x, y = np.mgrid[0:side:spacing, 0:side:spacing].reshape(2, -1)
    xy = np.column_stack([x, y]) + random.uniform(-0.4, 0.4, (x.size, 2)) * spacing
    return xy[random.random(len(xy)) < 0.6] if keep is None else xy[keep]


@pytest.mark.parametrize("spot_um", [50.0, 100.0])
def test_squares_at_the_edge_are_on_tissue_in_part_and_add_up_to_its_area(spot_um: float) -> None:
    xy = cells()
    disc = xy[np.hypot(*(xy - 1000).T) < 800]
    table = square_spots(disc, spot_um).table
    distance = np.hypot(table["x_um"] - 1000, table["y_um"] - 1000)
    area = table["tissue_coverage"].sum() * spot_um**2
    assert len(table) * spot_um**2 > 1.03 * np.pi * 800**2
    assert area == pytest.approx(np.pi * 800**2, rel=0.03)
    assert table["tissue_coverage"][distance < 700].min() > 0.99
    assert table["tissue_coverage"][distance > 800].max() < 0.6


def test_a_lumen_is_no_tissue_and_the_gap_of_a_fat_cell_is() -> None:
    xy = cells()
    lumen, fat_cell = np.hypot(*(xy - 500).T) < 150, np.hypot(*(xy - 1450).T) < 40
    table = square_spots(xy[~lumen & ~fat_cell], 100.0).table
    assert table.loc["x00014_y00014", "tissue_coverage"] > 0.99
    inside = table["tissue_coverage"].loc[["x00005_y00003", "x00003_y00005"]]
    assert (inside < 0.9).all()


def test_coverage_does_not_depend_on_where_the_grid_begins() -> None:
    xy = cells(side=600.0)
    near, far = (square_spots(xy + np.array([shift, -shift]), 100.0).table["tissue_coverage"] for shift in (0.0, 1e6))
    np.testing.assert_allclose(near.to_numpy(), far.to_numpy())


def test_sparse_cells_are_tissue_and_cells_too_far_apart_for_glass_have_no_coverage() -> None:
    sparse = np.column_stack([axis.ravel() for axis in np.mgrid[50:1000:100, 50:1000:100]]).astype(float)
    assert square_spots(sparse, 100.0).table["tissue_coverage"].min() > 0.7
    assert "tissue_coverage" not in square_spots(np.array([[0.0, 0.0], [1e8, 1e8]]), 100.0).table
