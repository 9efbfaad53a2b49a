"""Positions of cells on the H&E, through the inverse of its alignment, for any rotation and mirroring."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from bundles.tissue import Pose
from bundles.xenium import SMALL, He, XeniumBundle

from spacrd_core.errors import GeometryError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.store import SpotStore
from spacrd_readers.xenium.reader import Xenium

BUNDLE = XeniumBundle(step_um=60.0)
POSES = {
    "straight": Pose(2.0),
    "turned by 37 degrees": Pose(2.0, 37.0),
    "turned by 90 degrees": Pose(2.0, 90.0),
    "turned by 180 degrees": Pose(2.0, 180.0),
    "mirrored": Pose(2.0, mirrored=True),
    "mirrored and turned by 90 degrees": Pose(2.0, 90.0, mirrored=True),
}


def read(bundle: XeniumBundle, folder: Path, **inputs: Any) -> Section:
    return Xenium(Xenium.Options()).read(bundle.write(folder), ImageInputs(**inputs))


def as_csv(folder: Path, matrix: Any) -> Path:
    path = folder / "other.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in np.asarray(matrix)))
    return path


def placed(section: Section) -> Any:
    return section.counts.obs[["x_px", "y_px"]].to_numpy()


def spots_on_tissue(section: Section) -> Any:
    return section.counts.obs[["x_um", "y_um"]].to_numpy()


@pytest.mark.parametrize("alignment", ["matrix", "keypoints"])
@pytest.mark.parametrize("pose", POSES)
def test_spots_are_placed_where_the_h_and_e_shows_them(tmp_path: Path, pose: str, alignment: Any) -> None:
    he = He(replace(POSES[pose], um_per_px=20.0), alignment=alignment)
    section = read(replace(BUNDLE, he=he), tmp_path)
    np.testing.assert_allclose(placed(section), he.pose.to_px(SMALL, spots_on_tissue(section)), atol=1e-6)
    assert section.um_per_px == pytest.approx(20.0)
    assert section.slide
    assert (section.slide.path.name, section.slide.scale) == (he.name, 1.0)
    assert [source.role for source in section.sources][-2:] == ["image", "alignment"]


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("unit", ["spot", "cell"])
def test_the_dark_square_is_found_at_its_um_in_the_store(
    tmp_path: Path, plugins: Plugins, pose: str, unit: str
) -> None:
    spacing = 100.0 if unit == "spot" else 60.0
    folder = replace(BUNDLE, he=He(POSES[pose], alignment="keypoints" if "turned" in pose else "matrix")).write(
        tmp_path / "T1"
    )
    store = SpotStore.create(tmp_path / "store")
    slide = ingest(store, folder, reader_options={"unit": unit}, mpp=2.0, plugins=plugins).entry.slide
    assert slide
    adata = store.read("T1") if hasattr(store, "read") else store.section("T1")
    dark = shown_dark(
        Pyramid.open(store.path / slide.path), adata.obs[["x_px", "y_px"]].to_numpy(), slide.um_per_full_px
    )
    um = adata.obs[["x_um", "y_um"]].to_numpy()
    assert 5 < dark.sum() < len(dark) / 2
    left, top, right, bottom = SMALL.square_um
    half = spacing / 2
    np.testing.assert_allclose(um[dark].min(axis=0) - half, (left, top), atol=half + 1)
    np.testing.assert_allclose(um[dark].max(axis=0) + half, (right, bottom), atol=half + 1)
    counts = np.asarray(adata.X.todense())
    assert counts[dark, :4].mean() > 3 * counts[~dark, :4].mean()  # and the genes that mark it lie there
    np.testing.assert_array_equal(dark, SMALL.dark(um))


def shown_dark(pyramid: Pyramid, xy_px: Any, um_per_full_px: float) -> Any:
    """Return which spots' centres show the dark square in the stored slide."""
    picture, um_per_px = pyramid.thumbnail(10_000)
    at = np.floor(xy_px * um_per_full_px / um_per_px).astype(int)
    return picture[at[:, 1], at[:, 0], 0] < 190


def test_an_alignment_taken_the_wrong_way_round_would_be_seen(tmp_path: Path) -> None:
    """The matrix leads from H&E px to morphology px; cells go through its inverse, after um become px."""
    he = He(POSES["turned by 37 degrees"])
    section = read(replace(BUNDLE, he=he), tmp_path)
    matrix = he.true_matrix(SMALL, 0.2125)
    um = np.column_stack([spots_on_tissue(section), np.ones(section.counts.n_obs)])
    straight = (um / [0.2125, 0.2125, 1] @ matrix.T)[:, :2]
    without_px = (um @ np.linalg.inv(matrix).T)[:, :2]
    for wrong in (straight, without_px):
        assert np.linalg.norm(placed(section) - wrong, axis=1).min() > 50 / he.pose.um_per_px


@pytest.mark.parametrize("pixel_size", [0.2125, 0.17])
def test_um_per_px_follows_from_the_bundle_s_px_and_the_matrix(tmp_path: Path, pixel_size: float) -> None:
    he = He(Pose(20.0, 90.0, mirrored=True))
    section = read(replace(BUNDLE, he=he, pixel_size=pixel_size), tmp_path)
    matrix = he.true_matrix(SMALL, pixel_size)
    assert section.um_per_px == pytest.approx(pixel_size * np.sqrt(abs(np.linalg.det(matrix[:2, :2])))) == 20.0


def test_the_inverse_of_an_alignment_is_refused_by_name(tmp_path: Path) -> None:
    he = He(Pose(20.0, 90.0))
    true = he.true_matrix(SMALL, 0.2125)
    bundle = replace(BUNDLE, he=replace(he, matrix=np.linalg.inv(true)))
    with pytest.raises(GeometryError) as caught:
        read(bundle, tmp_path)
    path = tmp_path / "T1_he_imagealignment.csv"
    assert f"{path} maps morphology px to px of T1_he_image.ome.tif, the inverse" in str(caught.value)
    assert "H&E px to morphology px" in caught.value.hint


def test_most_cells_off_the_h_and_e_are_an_error_and_few_a_note(tmp_path: Path) -> None:
    he = He(Pose(20.0, margin_um=0.0))
    image = tmp_path / "T1_he_image.ome.tif"
    true = he.true_matrix(SMALL, 0.2125)
    for shift_um, share in ((120.0, 0.1), (600.0, 0.5)):
        moved = true.copy()
        moved[0, 2] += shift_um / 0.2125  # everything lies further left on the H&E
        bundle = replace(BUNDLE, he=replace(he, matrix=moved))
        assert np.mean(bundle.centroids[:, 0] < shift_um) == pytest.approx(share, abs=0.001)
        if share < 0.5:
            assert f"10% of the cells are outside the H&E {image.name} (60 x 45 px)" in read(bundle, tmp_path).notes
    moved[0, 2] += 60 / 0.2125
    with pytest.raises(GeometryError) as caught:
        read(replace(BUNDLE, he=replace(he, matrix=moved)), tmp_path)
    path = tmp_path / "T1_he_imagealignment.csv"
    assert f"55% of the cells are outside the H&E {image} (60 x 45 px)" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "--image-scale X" in caught.value.hint


def test_an_h_and_e_of_lower_resolution_needs_its_scale(tmp_path: Path) -> None:
    """The alignment is for an H&E of 5 um/px; the image that is given has a quarter of its px."""
    full, small = He(Pose(5.0)), He(Pose(20.0), name="small_he_image.png", alignment="none")
    folder = replace(BUNDLE, he=small).write(tmp_path)
    alignment = as_csv(tmp_path, full.true_matrix(SMALL, 0.2125))
    reader = Xenium(Xenium.Options())
    with pytest.raises(GeometryError) as caught:
        reader.read(folder, ImageInputs(alignment=alignment))
    assert "--image-scale X" in caught.value.hint
    section = reader.read(folder, ImageInputs(alignment=alignment, image_scale=0.25))
    assert section.slide
    assert section.um_per_px == pytest.approx(5.0)
    assert section.slide.um_per_px == pytest.approx(20.0)
    assert section.slide.scale == 0.25
    np.testing.assert_allclose(placed(section) * 0.25, small.pose.to_px(SMALL, spots_on_tissue(section)), atol=1e-6)


def test_no_image_leaves_the_h_and_e_out_without_a_note(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, he=He(Pose(20.0))), tmp_path, with_image=False)
    assert section.slide is None
    assert section.um_per_px == 0.2125
    assert not any("H&E" in note for note in section.notes)


def stated(folder: Path, um_per_px: float) -> XeniumBundle:
    """Return a bundle whose H&E has 2 um/px by its alignment and states another pixel size."""
    bundle = replace(BUNDLE, he=He(Pose(2.0)))
    path = bundle.write(folder) / "T1_he_image.ome.tif"
    per_cm = (1e4 / um_per_px,) * 2
    tifffile.imwrite(path, SMALL.picture(Pose(2.0)), photometric="rgb", resolution=per_cm, resolutionunit="CENTIMETER")
    return bundle


@pytest.mark.parametrize(
    ("um_per_px", "factor", "copy"), [(1.0, "2", "smaller"), (0.5, "4", "smaller"), (6.0, "3", "larger")]
)
def test_an_alignment_of_a_copy_of_another_size_is_refused_where_the_file_states_its_um_per_px(
    tmp_path: Path, um_per_px: float, factor: str, copy: str
) -> None:
    stated(tmp_path, um_per_px)
    with pytest.raises(GeometryError) as caught:
        Xenium(Xenium.Options()).read(tmp_path, ImageInputs())
    assert f"but the file itself states {um_per_px:g}: it was made on a copy {factor} times {copy}" in str(caught.value)
    assert "--image-scale" in caught.value.hint


@pytest.mark.parametrize(("um_per_px", "image_scale"), [(2.0, None), (2.9, None), (1.0, 1.0)])
def test_it_is_taken_where_the_um_per_px_agree_are_no_whole_factor_apart_or_the_scale_is_given(
    tmp_path: Path, um_per_px: float, image_scale: float | None
) -> None:
    stated(tmp_path, um_per_px)
    section = Xenium(Xenium.Options()).read(tmp_path, ImageInputs(image_scale=image_scale))
    assert section.slide is not None
    assert section.slide.um_per_px == pytest.approx(2.0)


def test_a_whole_slide_with_the_alignment_of_its_half_is_placed_by_the_image_scale(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, he=He(Pose(4.0))).write(tmp_path)
    tifffile.imwrite(bundle / "T1_he_image.ome.tif", SMALL.picture(Pose(2.0)), photometric="rgb")
    section = Xenium(Xenium.Options()).read(tmp_path, ImageInputs(image_scale=2.0))
    assert section.slide is not None
    assert section.slide.um_per_px == pytest.approx(2.0)
    assert section.slide.scale == 2.0
