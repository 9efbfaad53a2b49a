"""SpatialData, read back with spatialdata itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pytest

from spacrd_core.errors import ConfigError, CorruptStore
from spacrd_core.images.raster import ArrayImage
from spacrd_core.results.files.formats import find_format
from spacrd_core.results.files.h5ad import write_h5ad
from spacrd_core.results.files.spatial_data import write_spatialdata
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult

    Written = Callable[[SectionResult], Any]


@pytest.fixture
def library() -> Any:
    return pytest.importorskip("spatialdata", reason="spatialdata is not installed")


@pytest.fixture
def written(library: Any, provenance: Provenance, tmp_path: Path) -> Written:
    """A function that writes a result and reads it back."""

    def write(result: SectionResult) -> Any:
        find_format("spatialdata").write_atomically(result, tmp_path, provenance)
        return library.read_zarr(tmp_path / "S1.spatialdata.zarr")

    return write


def test_every_element_lies_in_full_resolution_px(
    written: Written, make_result: Callable[..., SectionResult], library: Any
) -> None:
    result = make_result(side=16)
    data = written(result)
    assert set(data.shapes) == {"S1_spots", "S1_cancer_regions"}
    assert data.coordinate_systems == ["global"]
    spots = library.transform(data["S1_spots"], to_coordinate_system="global")
    expected = result.adata.obs.loc[spots.index, ["x_px", "y_px"]].to_numpy()
    np.testing.assert_allclose(np.column_stack([spots.geometry.x, spots.geometry.y]), expected)
    assert (spots["radius"] == 55.0).all()


@pytest.mark.slow
def test_the_slide_is_there_at_all_its_resolutions_in_full_resolution_px(
    written: Written, make_result: Callable[..., SectionResult], library: Any, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (1100, 1301, 3), dtype=np.uint8)
    write_pyramid(ArrayImage(pixels), tmp_path / "slide", um_per_px=1.0)
    slide = Pyramid.open(tmp_path / "slide")
    data = written(make_result(side=8, slide=slide, slide_um_per_full_px=0.5))
    scales = [data["S1_he"][name]["image"] for name in data["S1_he"]]
    assert [scale.shape[1:] for scale in scales] == [(level.height, level.width) for level in slide.levels]
    np.testing.assert_array_equal(scales[0].transpose("y", "x", "c").to_numpy(), pixels)
    extent = library.get_extent(data["S1_he"], coordinate_system="global")
    assert extent == {"x": (0.0, 2602.0), "y": (0.0, 2200.0)}
    for scale in range(len(scales)):
        whole = library.transform(data["S1_he"], to_coordinate_system="global")[f"scale{scale}"]["image"]
        np.testing.assert_allclose([whole.x[0] + whole.x[-1], whole.y[0] + whole.y[-1]], [2602, 2200], rtol=0.02)


@pytest.mark.slow
def test_regions_equal_those_of_the_other_files(written: Written, make_result: Callable[..., SectionResult]) -> None:
    result = make_result(side=26)
    regions = written(result)["S1_cancer_regions"]
    assert len(regions) == len(result.regions) > 0
    areas = [region.outline.area for region in result.regions]
    np.testing.assert_allclose(regions.geometry.area, areas)
    np.testing.assert_allclose(regions["area_mm2"], np.array(areas) * (result.um_per_px / 1000) ** 2)
    assert regions.geometry.is_valid.all()


def test_the_table_annotates_the_spots_and_is_that_of_the_h5ad(
    written: Written, make_result: Callable[..., SectionResult], provenance: Provenance, library: Any, tmp_path: Path
) -> None:
    result = make_result(side=8)
    data = written(result)
    write_h5ad(result, tmp_path / "S1.h5ad", provenance)
    expected, table = ad.read_h5ad(tmp_path / "S1.h5ad"), data["table"]
    assert (table.X != expected.X).nnz == 0
    assert table.obs[expected.obs.columns].equals(expected.obs)
    assert table.uns["spacrd"]["detector"] == provenance.detector
    shapes, joined = library.join_spatialelement_table(sdata=data, spatial_element_names="S1_spots", table_name="table")
    assert list(shapes["S1_spots"].index) == list(joined.obs_names) == list(expected.obs_names)
    painted = library.get_values("spacrd_prob", sdata=data, element_name="S1_spots", table_name="table")
    np.testing.assert_array_equal(painted["spacrd_prob"], expected.obs["spacrd_prob"])


@pytest.mark.slow
def test_spots_without_a_call_are_kept(written: Written, make_result: Callable[..., SectionResult]) -> None:
    result = make_result(side=8)
    data = written(make_result(side=8, spots=result.spots[10:]))
    assert len(data["S1_spots"]) == data["table"].n_obs == 64
    assert data["table"].obs["spacrd_prob"].isna().sum() == 10


def test_a_damaged_slide_is_named_and_nothing_is_written(
    written: Written, make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (600, 600, 3), dtype=np.uint8)
    write_pyramid(ArrayImage(pixels), tmp_path / "slide", um_per_px=1.0)
    chunk = tmp_path / "slide" / "0" / "c" / "0" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 8
    chunk.write_bytes(content)
    with pytest.raises(CorruptStore, match="slide/0/c/0/0/0 cannot be read: "):
        written(make_result(side=8, slide=Pyramid.open(tmp_path / "slide"), slide_um_per_full_px=0.5))
    assert not (tmp_path / "S1.spatialdata.zarr").exists()


@pytest.mark.slow
def test_square_spots_are_rotated_as_on_the_image(written: Written, make_result: Callable[..., SectionResult]) -> None:
    spots = written(make_result("square", side=8, degrees=20, spot_shape="square", spot_um=100.0))["S1_spots"]
    np.testing.assert_allclose(spots.geometry.area, 200.0**2)
    np.testing.assert_allclose(spots.geometry.union_all().area, 64 * 200.0**2, rtol=1e-6)


@pytest.mark.slow
def test_a_section_without_an_image_or_a_region_has_neither(
    written: Written, make_result: Callable[..., SectionResult]
) -> None:
    data = written(make_result(side=8, threshold=0.99))
    assert not data.images
    assert set(data.shapes) == {"S1_spots"}


def test_an_earlier_export_is_replaced_and_nothing_else_is_left(
    written: Written, make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    written(make_result(side=8))
    assert written(make_result(side=6))["table"].n_obs == 36
    assert [path.name for path in tmp_path.iterdir()] == ["S1.spatialdata.zarr"]


@pytest.mark.slow
def test_sections_can_be_concatenated(
    make_result: Callable[..., SectionResult], provenance: Provenance, library: Any, tmp_path: Path
) -> None:
    for name in ("A.1", "B-2"):
        write_spatialdata(make_result(side=8, section_id=name), tmp_path / name, provenance)
    data = [library.read_zarr(tmp_path / name) for name in ("A.1", "B-2")]
    combined = library.concatenate(data, concatenate_tables=True, index_unique="_")
    assert set(combined.shapes) == {f"{name}_{kind}" for name in ("A.1", "B-2") for kind in ("spots", "cancer_regions")}
    assert combined["table"].n_obs == 128


def test_without_the_library_the_error_names_the_extra(
    make_result: Callable[..., SectionResult],
    provenance: Provenance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    with pytest.raises(ConfigError) as caught:
        write_spatialdata(make_result(side=6), tmp_path / "S1.zarr", provenance)
    assert "needs the library spatialdata" in str(caught.value)
    assert "spacrd[spatialdata]" in str(caught.value.hint)
    assert not list(tmp_path.iterdir())
