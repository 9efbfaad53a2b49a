"""Squares and names of bins equal those of a brute-force loop over bins, for any array."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spacrd_core.errors import ConfigError, GeometryError
from spacrd_readers.visium_hd.grid import bins_per_side, make_squares
from spacrd_readers.visium_hd.names import parse_bins, parse_cells

ARRAYS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=30))


@settings(deadline=None)
@given(ARRAYS, st.integers(1, 9), st.floats(0, 1))
def test_every_bin_in_tissue_is_in_the_square_of_its_row_and_column(
    in_tissue: np.ndarray, side: int, least: float
) -> None:
    bins: dict[tuple[int, int], int] = {}
    for row, column in zip(*in_tissue.nonzero(), strict=True):
        square = (int(row) // side, int(column) // side)
        bins[square] = bins.get(square, 0) + 1
    kept = {square: count for square, count in bins.items() if count / side**2 >= least}
    if not kept:
        with pytest.raises(GeometryError):
            make_squares(in_tissue, side, spot_um=side * 8, min_coverage=least)
        return
    squares = make_squares(in_tissue, side, spot_um=side * 8, min_coverage=least)
    table = squares.table
    assert len(squares.notes) == (len(kept) < len(bins))
    indices = zip(table["array_y"].astype(int), table["array_x"].astype(int), strict=True)
    assert dict(zip(indices, table["n_bins"], strict=True)) == kept
    np.testing.assert_allclose(table["tissue_coverage"], table["n_bins"] / side**2)
    rows, columns = (indices.astype(np.int32) for indices in in_tissue.nonzero())
    for row, column, spot in zip(rows, columns, squares.spot_of(rows, columns), strict=True):
        square = (int(row) // side, int(column) // side)
        name = f"s_{side * 8:03d}um_{square[0]:05d}_{square[1]:05d}"
        assert (table.index[spot] == name) if spot >= 0 else (square not in kept)


@settings(deadline=None)
@given(ARRAYS.filter(np.any), st.integers(1, 9))
def test_the_centre_of_a_square_is_the_mean_of_its_bins(in_tissue: np.ndarray, side: int) -> None:
    squares = make_squares(in_tissue, side, spot_um=side * 2, min_coverage=0)
    for (x, y), centre in zip(squares.table[["array_x", "array_y"]].to_numpy(), squares.centres, strict=True):
        columns, rows = (np.arange(first * side, (first + 1) * side) for first in (x, y))
        np.testing.assert_allclose(centre, (columns.mean(), rows.mean()))


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(1, 100))
def test_spots_are_whole_bins_wide_or_refused_with_widths_that_are(spot_um: int, bin_um: int) -> None:
    if spot_um % bin_um == 0:
        assert bins_per_side(spot_um, bin_um) * bin_um == spot_um
        return
    with pytest.raises(ConfigError) as caught:
        bins_per_side(spot_um, bin_um)
    better = int(caught.value.hint.rpartition("--set reader.spot_um=")[2])
    assert bins_per_side(better, bin_um) >= 1
    assert abs(better - spot_um) < bin_um


@settings(deadline=None)
@given(
    st.sampled_from([2, 8, 16, 100]),
    st.lists(st.tuples(st.integers(0, 99_999), st.integers(0, 99_999)), min_size=1),
    st.sampled_from(["", "Sample_A_", "s_"]),
    st.sampled_from(["", "-1", "-12"]),
)
def test_names_of_bins_are_parsed_into_row_and_column(
    bin_um: int, places: list[tuple[int, int]], start: str, end: str
) -> None:
    names = [f"{start}s_{bin_um:03d}um_{row:05d}_{column:05d}{end}".encode() for row, column in places]
    bins = parse_bins(np.array(names), Path("matrix.h5"))
    assert bins.um == bin_um
    assert list(zip(bins.rows.tolist(), bins.columns.tolist(), strict=True)) == places


@settings(deadline=None)
@given(st.lists(st.integers(0, 999_999_999), min_size=1))
def test_names_of_cells_are_parsed_into_their_number(numbers: list[int]) -> None:
    names = np.array([f"cellid_{number:09d}-1".encode() for number in numbers])
    assert parse_cells(names, Path("matrix.h5")).tolist() == numbers
