"""Positions of spots on the image, for any rotation and mirroring, and in a store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.tissue import Pose
from bundles.visium import HIRES, SMALL, VisiumBundle

from spacrd_core.errors import GeometryError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.store import SpotStore
from spacrd_readers.visium.reader import Visium

POSES = {
    "straight": Pose(2.0),
    "turned by 37 degrees": Pose(2.0, 37.0),
    "turned by 90 degrees": Pose(2.0, 90.0),
    "turned by 180 degrees": Pose(2.0, 180.0),
    "mirrored": Pose(2.0, mirrored=True),
    "mirrored and turned by 90 degrees": Pose(2.0, 90.0, mirrored=True),
}
BUNDLE = VisiumBundle()


def read(folder: Path, **inputs: Any) -> Section:
    return Visium(Visium.Options()).read(folder, ImageInputs(**inputs))


def darkness(pyramid: Pyramid, px: Any, um_per_px: float) -> Any:
    """Return whether the level shows the dark square at places in um of the slide."""
    level = pyramid.levels[0]
    pixels = level.read(0, level.height, 0, level.width)
    x, y = np.floor(px * um_per_px / level.um_per_px).astype(int).T
    return pixels[y, x, 1] < 110


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("images", [("hires", "lowres", "full"), ("hires",)], ids=["full", "hires"])
@pytest.mark.parametrize("pose", POSES)
def test_the_dark_square_is_found_at_its_um_in_the_store(
    tmp_path: Path, plugins: Plugins, pose: str, images: tuple[str, ...]
) -> None:
    bundle = replace(BUNDLE, pose=POSES[pose], images=images)
    store = SpotStore.create(tmp_path / "store")
    entry = ingest(store, bundle.write(tmp_path / "T1"), mpp=2.0, plugins=plugins).entry
    assert entry.slide
    obs = store.section("T1").obs
    shown = darkness(Pyramid.open(store.path / entry.slide.path), obs[["x_px", "y_px"]].to_numpy(), entry.um_per_px)
    true_um = bundle.um[bundle.in_tissue]
    left, top, right, bottom = SMALL.square_um
    edge = np.abs(true_um[:, [0, 1, 0, 1]] - (left, top, right, bottom)).min(axis=1)
    sure = edge > 27.5
    assert 10 < shown.sum() < len(shown) / 2
    assert sure.sum() > len(sure) / 2
    np.testing.assert_array_equal(shown[sure], SMALL.dark(true_um)[sure])
    turned = obs[["x_um", "y_um"]].to_numpy()
    np.testing.assert_allclose(turned, bundle.pose.to_px(SMALL, true_um) * 2.0, atol=1e-6)


def test_the_preview_is_the_slide_at_its_scale(tmp_path: Path) -> None:
    section = read(BUNDLE.write(tmp_path))
    assert section.slide
    assert section.slide.scale == HIRES
    assert section.slide.um_per_px == pytest.approx(4.0)
    (note,) = section.notes
    assert "tissue_hires_image.png has 4 um/px, so a 112 um patch is 28 px wide" in note
    assert section.sources[-1].path.name == "tissue_hires_image.png"


@pytest.mark.parametrize("outs", [True, False])
def test_the_users_image_beside_the_run_is_taken(tmp_path: Path, *, outs: bool) -> None:
    bundle = replace(BUNDLE, outs=outs, prefix="S1_", images=("hires", "full"))
    section = read(bundle.write(tmp_path))
    assert section.slide
    assert (section.slide.path, section.slide.scale) == (tmp_path / "S1_tissue_image.png", 1.0)
    assert section.notes == (f"{tmp_path / 'S1_tissue_image.png'} was used as the full-resolution image",)


def test_a_deposition_finds_its_own_pictures(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, spatial="", prefix="GSM1_A_")
    section = read(bundle.write(tmp_path))
    assert section.slide
    assert section.slide.path.name == "GSM1_A_tissue_hires_image.png"
    assert section.slide.scale == HIRES


def test_an_image_of_another_section_is_refused(tmp_path: Path) -> None:
    folder = BUNDLE.write(tmp_path / "A")
    other = replace(BUNDLE, pose=Pose(2.0, 90.0)).write_image(tmp_path / "B.png")
    with pytest.raises(GeometryError) as caught:
        read(folder, image=other)
    assert f"{other} is 600 x 750 px" in str(caught.value)
    assert "for an image of about 750 x 600 px" in str(caught.value)


def test_a_spot_at_the_edge_of_the_image_stays(tmp_path: Path, plugins: Plugins) -> None:
    bundle = replace(BUNDLE, pose=Pose(2.0, margin_um=0.0), corner_um=(0.0, 0.0), images=("hires", "full"))
    assert bundle.px.min() == 0
    store = SpotStore.create(tmp_path / "store")
    entry = ingest(store, bundle.write(tmp_path / "T1"), mpp=2.0, plugins=plugins).entry
    assert entry.spots == bundle.in_tissue.sum()
    assert not any("outside" in note for note in entry.notes)


@pytest.mark.slow
def test_the_same_section_without_its_image_is_another_input(tmp_path: Path, plugins: Plugins) -> None:
    folder = BUNDLE.write(tmp_path / "T1")
    store = SpotStore.create(tmp_path / "store")
    assert ingest(store, folder, plugins=plugins).status == "added"
    assert ingest(store, folder, plugins=plugins).status == "unchanged"
    assert ingest(store, folder, no_image=True, replace=True, plugins=plugins).entry.slide is None
