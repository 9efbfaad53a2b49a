"""Measured spots of a SpatialData object: positions, sizes, counts and slide."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.anndata_file import Measured, tissue_object
from bundles.spatialdata_object import TISSUE, visium, write
from bundles.tissue import Pose
from PIL import Image

from spacrd_core.contracts.reader import check_reader
from spacrd_core.errors import CountsError, GeometryError
from spacrd_core.images.raster import open_raster
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.spatialdata.reader import SpatialData

MEASURED = Measured(pose=Pose(um_per_px=2.0))
Read = Callable[..., Section]


def test_a_visium_section_has_the_spots_sizes_and_slide_of_its_run(read: Read) -> None:
    section, expected = read(visium(MEASURED)), tissue_object(MEASURED)
    assert section.um_per_px == pytest.approx(2.0)
    assert (section.spot_um, section.spot_shape, section.pitch_um) == (55.0, "disc", 100.0)
    obs = section.counts.obs
    np.testing.assert_allclose(obs[["x_px", "y_px"]], expected.obsm["spatial"])
    np.testing.assert_allclose(obs[["x_um", "y_um"]], expected.obsm["spatial"] * 2.0)
    assert list(obs.index) == list(expected.obs_names)
    assert (section.counts.X != expected.X).nnz == 0
    assert list(section.counts.var["gene_id"]) == list(TISSUE.ids)
    assert section.slide is not None
    assert (section.slide.path.name, section.slide.scale) == ("S1_full_image", 1.0)


def test_the_slide_is_read_at_its_finest_scale_row_by_row(read: Read) -> None:
    section, pixels = read(visium(MEASURED)), TISSUE.picture(MEASURED.pose)
    assert section.slide is not None
    with open_raster(section.slide) as raster:
        assert (raster.height, raster.width) == pixels.shape[:2]
        np.testing.assert_array_equal(raster.rows(100, 700), pixels[100:700])


@pytest.mark.slow
def test_a_preview_alone_is_the_slide_at_its_scale(read: Read) -> None:
    elements = visium(MEASURED)
    del elements["images"]["S1_full_image"]
    section = read(elements)
    assert section.slide is not None
    assert section.slide.scale == pytest.approx(0.25)
    assert section.slide.um_per_px == pytest.approx(8.0)
    assert section.um_per_px == pytest.approx(2.0)
    assert any("give a finer one with --image FILE" in note for note in section.notes)


def test_the_contract_of_readers_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "run.zarr", **visium(MEASURED))
    reader: Any = SpatialData(SpatialData.Options())
    check_reader(reader, path)


@pytest.mark.slow
def test_spots_out_of_tissue_and_rows_without_a_shape_are_left_out_with_a_note(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"]["table"].obs.loc[elements["tables"]["table"].obs_names[:3], "in_tissue"] = 0
    elements["shapes"]["S1"] = elements["shapes"]["S1"].iloc[:-2]
    section = read(elements)
    assert section.counts.n_obs == tissue_object(MEASURED).n_obs - 5
    assert any(note.startswith("spots out of tissue, left out: 3 (") for note in section.notes)
    assert any(note.startswith("rows of the table without a shape or label, left out: 2 (") for note in section.notes)


@pytest.mark.slow
def test_a_table_whose_shapes_are_missing_is_read_by_its_own_positions(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"]["table"].obsm["spatial"] = tissue_object(MEASURED).obsm["spatial"]
    del elements["shapes"]
    section = read(elements)
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], tissue_object(MEASURED).obsm["spatial"])
    assert any("positions are obsm['spatial']" in note for note in section.notes)


@pytest.mark.slow
def test_a_table_without_shapes_and_positions_is_refused(read: Read) -> None:
    elements = visium(MEASURED)
    del elements["shapes"], elements["tables"]["table"].obsm["spatial"]
    with pytest.raises(GeometryError, match=r"annotates S1, which .* does not hold"):
        read(elements)


@pytest.mark.slow
def test_ids_that_match_no_shape_are_refused(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"]["table"].obs["instance"] += 100_000
    with pytest.raises(GeometryError, match="none of the"):
        read(elements)


def test_normalised_counts_are_refused(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"]["table"].X = elements["tables"]["table"].X.log1p()
    with pytest.raises(CountsError, match="no raw counts"):
        read(elements)


@pytest.mark.slow
def test_um_are_asked_for_where_nothing_states_them(read: Read) -> None:
    elements = visium(MEASURED)
    table = elements["tables"]["table"]
    table.obs = table.obs.drop(columns=["array_row", "array_col"])
    with pytest.raises(GeometryError, match="um per unit of the coordinate system") as caught:
        read(elements)
    assert "--um-per-px X" in caught.value.hint
    assert read(elements, ImageInputs(um_per_px=2.0)).um_per_px == 2.0


@pytest.mark.slow
def test_an_alignment_is_refused(read: Read, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="take no alignment"):
        read(visium(MEASURED), ImageInputs(alignment=tmp_path / "matrix.csv"))


@pytest.mark.slow
def test_a_given_image_is_scaled_by_the_image_of_the_object(read: Read, tmp_path: Path) -> None:
    half = TISSUE.picture(Pose(um_per_px=4.0))
    Image.fromarray(half).save(tmp_path / "half.png")
    section = read(visium(MEASURED), ImageInputs(image=tmp_path / "half.png"))
    assert section.slide is not None
    assert section.slide.path == tmp_path / "half.png"
    assert section.slide.scale == pytest.approx(0.5, rel=0.002)
    assert section.slide.pictures
    given = read(visium(MEASURED), ImageInputs(image=tmp_path / "half.png", image_scale=0.4)).slide
    assert given is not None
    assert given.scale == 0.4


@pytest.mark.slow
def test_a_shape_that_is_there_twice_is_refused(read: Read) -> None:
    elements = visium(MEASURED)
    shapes = elements["shapes"]["S1"]
    elements["shapes"]["S1"] = shapes.set_axis([0, 0, *range(2, len(shapes))], axis=0)
    with pytest.raises(GeometryError, match="has the shape 0 more than once"):
        read(elements)
