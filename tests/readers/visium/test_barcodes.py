"""Matching the spots of a matrix to positions, and refusing those from different sections."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tenx import Matrix, write_h5
from bundles.visium import VisiumBundle

from spacrd_core.errors import CountsError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle(images=())
SAME_RUN = "--set reader.spatial=FOLDER"
NAMES = [f"{letters}-1" for letters in BUNDLE.letters]


def read(folder: Path) -> Section:
    return Visium(Visium.Options()).read(folder, ImageInputs(with_image=False))


def written(folder: Path, table: pd.DataFrame, bundle: VisiumBundle = BUNDLE) -> Path:
    """Write a bundle with other positions."""
    bundle.write(folder)
    bundle.write_positions(folder / "spatial" / bundle.positions, table)
    return folder


def marked(table: pd.DataFrame, rows: list[int], in_tissue: int) -> pd.DataFrame:
    changed = table.copy()
    changed.loc[rows, "in_tissue"] = in_tissue
    return changed


def test_a_spot_without_a_position_is_left_out_and_named(tmp_path: Path) -> None:
    first = int(BUNDLE.in_tissue.argmax())
    section = read(written(tmp_path, BUNDLE.table.drop(index=first)))
    assert section.counts.n_obs == BUNDLE.in_tissue.sum() - 1
    assert section.notes == (f"spots with counts but no position, left out: 1 ({NAMES[first]})",)
    assert section.counts.uns["counts_order"][0] == NAMES[first]
    assert len(section.counts.uns["counts_order"]) == BUNDLE.in_tissue.sum()


def test_a_spot_of_a_filtered_matrix_that_is_not_in_tissue_is_left_out_and_named(tmp_path: Path) -> None:
    first = int(BUNDLE.in_tissue.argmax())
    section = read(written(tmp_path, marked(BUNDLE.table, [first], 0)))
    assert NAMES[first] not in section.counts.obs_names
    name = "filtered_feature_bc_matrix.h5"
    assert section.notes == (f"spots of {name} that are not in tissue, left out: 1 ({NAMES[first]})",)


def test_a_spot_in_tissue_without_counts_is_named(tmp_path: Path) -> None:
    out = int((~BUNDLE.in_tissue).argmax())
    section = read(written(tmp_path, marked(BUNDLE.table, [out], 1)))
    assert section.counts.n_obs == BUNDLE.in_tissue.sum()
    assert section.notes == (f"spots in tissue without counts, left out: 1 ({NAMES[out]})",)


def test_positions_of_other_barcodes_are_refused(tmp_path: Path) -> None:
    table = BUNDLE.table.assign(barcode=[f"{name[::-1].replace('1-', '')}-1" for name in BUNDLE.table["barcode"]])
    folder = written(tmp_path, table)
    matrix, positions = folder / "filtered_feature_bc_matrix.h5", folder / "spatial" / "tissue_positions.csv"
    first = NAMES[int(BUNDLE.in_tissue.argmax())]
    with pytest.raises(CountsError) as caught:
        read(folder)
    assert f"no spot of {matrix} has a position in {positions}" in str(caught.value)
    assert f"like {first}" in str(caught.value)
    assert f"like {table['barcode'][0]}" in str(caught.value)
    assert SAME_RUN in caught.value.hint


def test_another_section_with_the_same_barcodes_is_detected_by_the_tissue(tmp_path: Path) -> None:
    half = BUNDLE.tissue.size_um[0] / 2
    other = BUNDLE.table.assign(in_tissue=(BUNDLE.in_tissue & (BUNDLE.um[:, 0] > half)).astype(int))
    outside = int((BUNDLE.in_tissue & (BUNDLE.um[:, 0] <= half)).sum())
    extra = np.flatnonzero(~BUNDLE.in_tissue)[:30]
    other.loc[extra, "in_tissue"] = 1
    folder = written(tmp_path, other)
    matrix, positions = folder / "filtered_feature_bc_matrix.h5", folder / "spatial" / "tissue_positions.csv"
    with pytest.raises(CountsError) as caught:
        read(folder)
    for phrase in (
        f"{matrix} and {positions} are from different sections",
        f"of {BUNDLE.in_tissue.sum()} spots with counts, 0 have no position and {outside} are not in tissue",
        f"of {other['in_tissue'].sum()} spots in tissue, 30 have no counts",
    ):
        assert phrase in str(caught.value)
    assert SAME_RUN in caught.value.hint


def test_a_section_without_tissue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CountsError, match="of 0 spots in tissue, 0 have no counts"):
        read(written(tmp_path, BUNDLE.table.assign(in_tissue=0)))


def test_an_aggregated_run_is_refused(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    path, matrix = tmp_path / "filtered_feature_bc_matrix.h5", BUNDLE.whole_matrix
    twice = [name.replace("-1", "-2") for name in matrix.barcodes]
    counts = np.vstack([matrix.counts, matrix.counts])
    write_h5(path, Matrix(counts, [*matrix.barcodes, *twice], matrix.symbols, matrix.ids))
    with pytest.raises(CountsError) as caught:
        read(tmp_path)
    assert f"{path} holds the spots of 2 sections (their barcodes end in -1, -2): it is an aggregated run" in str(
        caught.value
    )
    assert "from its own run" in caught.value.hint


def test_letters_that_two_spots_share_join_nothing(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, counted="A_{}")
    bundle.write(tmp_path)
    matrix = bundle.whole_matrix
    names = [*matrix.barcodes[:-1], matrix.barcodes[0].replace("A_", "B_")]
    write_h5(tmp_path / "filtered_feature_bc_matrix.h5", Matrix(matrix.counts, names, matrix.symbols, matrix.ids))
    section = read(tmp_path)
    assert f"spots with counts but no position, left out: 2 ({names[0]}, {names[-1]})" in section.notes


def test_a_raw_matrix_may_be_cut_down_to_some_spots_in_tissue_or_not(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, raw=True)
    bundle.write(tmp_path)
    matrix, some = bundle.whole_matrix, slice(None, None, 3)
    cut = Matrix(matrix.counts[some], matrix.barcodes[some], matrix.symbols, matrix.ids)
    write_h5(tmp_path / "raw_feature_bc_matrix.h5", cut)
    assert list(read(tmp_path).counts.obs_names) == [
        name for name, here in zip(NAMES[some], BUNDLE.in_tissue[some], strict=True) if here
    ]
