"""x and y exchanged mirror the array on its image: refused where the tissue shows it, noted where it does not."""

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bundles.tissue import Pose, Tissue
from bundles.visium import VisiumBundle
from PIL import Image
from scipy import sparse

from spacrd_core.images.sample import sample_image
from spacrd_core.ingestion.lattice import mirrored_lattice
from spacrd_core.section.section import Section, SlideFile

# Tissue at the right of the image, with much glass around it.
TISSUE = Tissue(size_um=(900.0, 400.0), square_um=(100.0, 100.0, 400.0, 300.0))


def section(folder: Path, pose: Pose, *, exchanged: bool = False) -> Section:
    """Return the spots in tissue of a Visium section and its slide."""
    bundle = VisiumBundle(tissue=TISSUE, pose=pose, corner_um=(-50.0, -50.0))
    px = bundle.px[bundle.in_tissue][:, :: -1 if exchanged else 1]
    array = bundle.array[bundle.in_tissue]
    positions = {"x_px": px[:, 0], "y_px": px[:, 1], "x_um": px[:, 0] * 2, "y_um": px[:, 1] * 2}
    obs = pd.DataFrame({**positions, "array_x": array[:, 0], "array_y": array[:, 1]})
    obs.index = obs.index.astype(str)
    Image.fromarray(TISSUE.picture(pose)).save(folder / "slide.png", compress_level=1)
    counts = ad.AnnData(sparse.csr_matrix((len(px), 2), dtype=np.int32), obs=obs)
    slide = SlideFile(folder / "slide.png", 2.0)
    return Section("lab", counts, 2.0, spot_um=55.0, spot_shape="disc", pitch_um=100.0, slide=slide)


def check(section: Section) -> tuple[str, tuple[str, ...]]:
    assert section.slide is not None
    error, notes = mirrored_lattice(section, section.slide, sample_image(section.slide))
    return str(error or ""), notes


@pytest.mark.parametrize("degrees", [0.0, 10.0, 180.0])
def test_exchanged_axes_are_refused_on_any_platform(tmp_path: Path, degrees: float) -> None:
    error, _ = check(section(tmp_path, Pose(2.0, degrees, margin_um=500.0), exchanged=True))
    assert "x and y of the positions in the section are exchanged" in error


@pytest.mark.parametrize("degrees", [0.0, 10.0, 90.0, 180.0])
def test_an_array_that_is_not_mirrored_is_not_doubted(tmp_path: Path, degrees: float) -> None:
    assert check(section(tmp_path, Pose(2.0, degrees, margin_um=500.0))) == ("", ())


@pytest.mark.parametrize("degrees", [0.0, 90.0])
def test_a_mirrored_image_is_not_refused(tmp_path: Path, degrees: float) -> None:
    error, _ = check(section(tmp_path, Pose(2.0, degrees, mirrored=True, margin_um=500.0)))
    assert error == ""


def test_where_the_tissue_does_not_tell_there_is_a_note(tmp_path: Path) -> None:
    mirrored = section(tmp_path, Pose(2.0, mirrored=True, margin_um=500.0))
    assert mirrored.slide is not None
    Image.new("RGB", (1000, 1000), "white").save(mirrored.slide.path)
    error, notes = check(mirrored)
    assert error == ""
    assert "either the image is mirrored, or x and y of the positions are exchanged" in notes[0]


def test_a_mirrored_h_and_e_of_a_platform_with_um_of_its_own_is_no_exchange(tmp_path: Path) -> None:
    xenium = section(tmp_path, Pose(2.0, mirrored=True, margin_um=500.0))
    obs = xenium.counts.obs
    obs["x_um"] = -obs["x_um"]
    assert check(xenium) == ("", ())


def test_a_section_without_an_array_is_not_checked(tmp_path: Path) -> None:
    free = section(tmp_path, Pose(2.0, mirrored=True))
    free.counts.obs = free.counts.obs.drop(columns=["array_x", "array_y"])
    assert check(replace(free)) == ("", ())
