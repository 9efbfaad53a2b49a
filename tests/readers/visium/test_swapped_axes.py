"""Swapped x and y are distinguished from a mirrored image by the position of the tissue."""

from dataclasses import replace
from pathlib import Path

import pytest
from bundles.tissue import Pose, Tissue
from bundles.visium import VisiumBundle

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium.reader import Visium

# Tissue in the upper right of the capture area, which the image shows with much glass around it.
BUNDLE = VisiumBundle(
    tissue=Tissue(size_um=(700.0, 400.0), square_um=(100.0, 100.0, 400.0, 300.0)),
    pose=Pose(2.0, margin_um=700.0),
    corner_um=(-600.0, -100.0),
    rows=14,
)
HINT = "pxl_row_in_fullres and pxl_col_in_fullres"


def read(folder: Path, *, with_image: bool = True) -> Section:
    return Visium(Visium.Options()).read(folder, ImageInputs(with_image=with_image))


def swap_axes(bundle: VisiumBundle, folder: Path) -> Path:
    """Write a bundle with x and y of the positions swapped; return the positions."""
    bundle.write(folder)
    rows, columns = bundle.table["pxl_row_in_fullres"], bundle.table["pxl_col_in_fullres"]
    table = bundle.table.assign(pxl_row_in_fullres=columns, pxl_col_in_fullres=rows)
    return bundle.write_positions(folder / "spatial" / bundle.positions, table)


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("degrees", [0.0, 10.0, 180.0])
@pytest.mark.parametrize("images", [("hires", "lowres"), ("hires",)])
def test_swapped_columns_are_refused(tmp_path: Path, degrees: float, images: tuple[str, ...]) -> None:
    path = swap_axes(replace(BUNDLE, pose=Pose(2.0, degrees, margin_um=700.0), images=images), tmp_path)
    with pytest.raises(GeometryError) as caught:
        read(tmp_path)
    assert f"x and y of the positions {path} are swapped" in str(caught.value)
    assert f"tissue_{images[-1]}_image.png" in str(caught.value)
    assert HINT in caught.value.hint


def test_they_are_refused_where_all_spots_are_in_tissue_and_leave_the_image(tmp_path: Path) -> None:
    wide = VisiumBundle(
        tissue=Tissue(size_um=(2400.0, 600.0), square_um=(100.0, 100.0, 400.0, 300.0)),
        corner_um=(20.0, 20.0),
        rows=6,
        columns=46,
    )
    assert wide.in_tissue.all()
    swap_axes(wide, tmp_path)
    with pytest.raises(GeometryError, match="are swapped"):
        read(tmp_path)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0])
def test_a_mirrored_image_is_read(tmp_path: Path, degrees: float) -> None:
    section = read(replace(BUNDLE, pose=Pose(2.0, degrees, mirrored=True, margin_um=700.0)).write(tmp_path))
    assert section.counts.n_obs == BUNDLE.in_tissue.sum()


def test_without_an_image_swapped_axes_are_not_detected(tmp_path: Path) -> None:
    swap_axes(replace(BUNDLE, images=()), tmp_path)
    assert read(tmp_path, with_image=False).counts.n_obs == BUNDLE.in_tissue.sum()
