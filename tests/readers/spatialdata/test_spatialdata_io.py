"""Objects that spatialdata-io's own readers write, beside the same runs through the readers of their platforms.

After ``pip install --group oracles``: spatialdata-io is not needed otherwise.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bundles.tissue import Pose
from bundles.visium import VisiumBundle
from bundles.visium_hd import HdRun

from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.spatialdata.reader import SpatialData
from spacrd_readers.visium.reader import Visium
from spacrd_readers.visium_hd.reader import VisiumHd

spatialdata_io = pytest.importorskip("spatialdata_io", reason="spatialdata-io is not installed (--group oracles)")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the versions of its libraries


def assert_same_spots(section: Section, expected: Section) -> None:
    """Check that two sections have the same spots, counts and sizes."""
    assert (section.spot_um, section.spot_shape, section.pitch_um) == pytest.approx(
        (expected.spot_um, expected.spot_shape, expected.pitch_um)
    )
    assert section.um_per_px == pytest.approx(expected.um_per_px)
    assert sorted(section.counts.obs_names) == sorted(expected.counts.obs_names)
    same = section.counts[expected.counts.obs_names]
    assert (same.X != expected.counts.X).nnz == 0
    for columns in (["x_px", "y_px"], ["x_um", "y_um"]):
        np.testing.assert_allclose(same.obs[columns], expected.counts.obs[columns], atol=1e-6)


def through_spatialdata(data: Any, path: Path, **options: Any) -> Section:
    data.write(path)
    return SpatialData(SpatialData.Options(**options)).read(path, ImageInputs())


def test_a_visium_run_is_the_section_of_its_own_reader(tmp_path: Path) -> None:
    run = VisiumBundle(images=("hires", "lowres", "full"), pose=Pose(um_per_px=1.0)).write(tmp_path / "run")
    data = spatialdata_io.visium(run, dataset_id="V1", fullres_image_file=run / "tissue_image.png")
    section = through_spatialdata(data, tmp_path / "run.zarr")
    assert_same_spots(section, Visium(Visium.Options()).read(run, ImageInputs()))
    assert section.slide is not None
    assert (section.slide.path.name, section.slide.scale) == ("V1_full_image", 1.0)


@pytest.mark.parametrize("options", [{}, {"bins_as_squares": False}, {"annotate_table_by_labels": True}])
def test_bins_of_a_visium_hd_run_are_the_section_of_its_own_reader(tmp_path: Path, options: dict[str, Any]) -> None:
    run = HdRun(image="microscope", pose=Pose(um_per_px=1.0, degrees=7)).write(tmp_path / "run")
    layout = json.dumps({"hd_layout_json": json.dumps({"file_format": "1.0"})})
    with h5py.File(run / "feature_slice.h5", "w") as file:
        file.attrs["metadata_json"] = layout
    data = spatialdata_io.visium_hd(run, dataset_id="HD", load_segmentations_only=False, **options)
    section = through_spatialdata(data, tmp_path / "run.zarr")
    assert_same_spots(section, VisiumHd(VisiumHd.Options()).read(run, ImageInputs()))
    assert section.slide is not None
    assert section.slide.path.name == "HD_full_image"
