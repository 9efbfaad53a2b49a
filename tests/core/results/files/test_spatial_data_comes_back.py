"""SpatialData that SpaCRD wrote goes in again as the same section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from spacrd_core.images.raster import ArrayImage, open_raster
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.results.files.spatial_data import write_spatialdata
from spacrd_core.section.section import ImageInputs
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.plugins import Plugins
    from spacrd_core.results.result import Provenance, SectionResult
    from spacrd_core.section.section import Section

    Again = Callable[[SectionResult], Section]


@pytest.fixture
def again(provenance: Provenance, plugins: Plugins, tmp_path: Path) -> Again:
    """A function that writes a result and reads it with the reader that recognises it."""
    pytest.importorskip("spatialdata", reason="spatialdata is not installed")

    def read(result: SectionResult) -> Section:
        path = tmp_path / "S1.spatialdata.zarr"
        write_spatialdata(result, path, provenance)
        name = recognise(path, plugins)
        assert name == "spatialdata"
        section: Section = plugins.readers.create(name).read(path, ImageInputs())
        return section

    return read


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("lattice", "fields"),
    [("hex", {}), ("square", {"spot_shape": "square", "spot_um": 100.0, "degrees": 20, "platform": "xenium"})],
)
def test_an_exported_section_is_the_same_section(
    again: Again, make_result: Callable[..., SectionResult], lattice: str, fields: dict[str, object]
) -> None:
    result = make_result(lattice, side=8, **fields)
    section = again(result)
    for name in ("platform", "patient", "um_per_px", "spot_um", "spot_shape", "pitch_um"):
        assert getattr(section, name) == getattr(result, name), name
    stored, expected = section.counts, result.adata
    assert (stored.X != expected.X).nnz == 0
    assert list(stored.obs_names) == list(expected.obs_names)
    columns = ["x_px", "y_px", "x_um", "y_um", "array_x", "array_y"]
    np.testing.assert_array_equal(stored.obs[columns], expected.obs[columns])
    assert stored.obs["label"].equals(expected.obs["label"])
    assert not [name for name in stored.obs if name.startswith("spacrd_")]
    assert stored.var.equals(expected.var)


@pytest.mark.slow
def test_its_slide_comes_back_in_the_same_frame(
    again: Again, make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(150, 255, (1200, 1200, 3), dtype=np.uint8)
    write_pyramid(ArrayImage(pixels), tmp_path / "slide", um_per_px=1.0)
    slide = again(make_result(side=8, slide=Pyramid.open(tmp_path / "slide"), slide_um_per_full_px=0.5)).slide
    assert slide is not None
    assert slide.um_per_px == pytest.approx(1.0)
    assert slide.scale == pytest.approx(0.5)
    with open_raster(slide) as raster:
        np.testing.assert_array_equal(raster.rows(0, raster.height), pixels)
