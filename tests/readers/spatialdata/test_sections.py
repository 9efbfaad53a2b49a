"""Objects of several tables, regions, systems or images: chosen by an option, or refused with the choices."""

from collections.abc import Callable
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import Measured
from bundles.spatialdata_object import TISSUE, affine, bins, image, table, visium
from bundles.tissue import Pose
from spatialdata.transformations import set_transformation

from spacrd_core.errors import ConfigError, GeometryError, ImageError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Section

Read = Callable[..., Section]
MEASURED = Measured(pose=Pose(um_per_px=4.0))
NO_IMAGE = ImageInputs(with_image=False)


def two_sections() -> dict[str, Any]:
    """Return two Visium sections in one table, as they are concatenated."""
    first, second = visium(MEASURED, name="A"), visium(MEASURED, name="B")
    one = first["tables"]["table"]
    joined = ad.concat([one, one], index_unique="_")
    regions = ["A"] * one.n_obs + ["B"] * one.n_obs
    return {
        "images": first["images"] | second["images"],
        "shapes": first["shapes"] | second["shapes"],
        "tables": {"table": table(joined, ["A", "B"], regions, [*range(one.n_obs)] * 2)},
    }


def test_several_regions_are_refused_with_the_choices(read: Read) -> None:
    with pytest.raises(UnrecognisedSection, match=r"annotates 2 regions \(A, B\), expected one section") as caught:
        read(two_sections())
    assert "--set reader.region=A" in caught.value.hint


def test_a_region_is_one_section(read: Read) -> None:
    section = read(two_sections(), NO_IMAGE, region="B")
    assert section.counts.n_obs == visium(MEASURED)["tables"]["table"].n_obs
    assert all(name.endswith("_1") for name in section.counts.obs_names)


@pytest.mark.slow
def test_an_unknown_region_is_refused_with_those_there(read: Read) -> None:
    with pytest.raises(ConfigError, match="no table that annotates the region 'C'"):
        read(two_sections(), region="C")


@pytest.mark.slow
def test_several_tables_are_refused_with_the_choices(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"] = dict.fromkeys(("one", "two"), elements["tables"]["table"])
    with pytest.raises(UnrecognisedSection, match=r"2 tables \(one, two\)") as caught:
        read(elements)
    assert "--set reader.table=one" in caught.value.hint
    assert read(elements, table="two").counts.n_obs
    with pytest.raises(ConfigError, match="no table 'three'; its tables: one, two"):
        read(elements, table="three")


@pytest.mark.slow
def test_the_table_of_the_usual_name_is_read_and_others_are_noted(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"]["scores"] = elements["tables"]["table"]
    assert "the table 'table' was read; others: scores (--set reader.table=NAME)" in read(elements).notes


@pytest.mark.slow
def test_of_visium_hd_the_8_um_bins_are_read(read: Read) -> None:
    pose = Pose(um_per_px=2.0)
    fine, coarse = bins(pose), bins(pose, bin_um=16)
    elements = {kind: fine[kind] | coarse[kind] for kind in ("images", "shapes", "tables")}
    section = read(elements)
    assert any("bins of 8 um were summed" in note for note in section.notes)
    assert any("the table 'square_008um' was read; others: square_016um" in note for note in section.notes)


@pytest.mark.slow
def test_a_table_of_spots_that_is_named_like_bins_holds_spots(read: Read) -> None:
    elements = visium(MEASURED)
    elements["tables"] = {"square_008um": elements["tables"]["table"]}
    assert read(elements).spot_um == 55.0


def test_several_coordinate_systems_are_refused_with_the_choices(read: Read) -> None:
    elements = visium(MEASURED)
    systems = {"slide": affine(np.eye(3)), "stage": affine(np.diag([2.0, 2.0, 1.0]))}
    set_transformation(elements["shapes"]["S1"], systems, set_all=True)
    with pytest.raises(UnrecognisedSection, match=r"2 coordinate systems \(slide, stage\)"):
        read(elements)
    assert read(elements, coordinate_system="stage").um_per_px == pytest.approx(2.0)
    with pytest.raises(ConfigError, match="no transformation to the coordinate system 'other'; it has: slide, stage"):
        read(elements, coordinate_system="other")


@pytest.mark.slow
def test_frames_of_previews_do_not_count_as_systems(read: Read) -> None:
    elements = visium(MEASURED)
    systems = {"S1": affine(np.eye(3)), "S1_downscaled_hires": affine(np.diag([0.5, 0.5, 1.0]))}
    set_transformation(elements["shapes"]["S1"], systems, set_all=True)
    assert read(elements).um_per_px == pytest.approx(4.0)


@pytest.mark.slow
def test_images_of_equal_resolution_are_refused_with_the_choices(read: Read) -> None:
    elements = visium(MEASURED)
    elements["images"]["other"] = image(TISSUE.picture(MEASURED.pose))
    with pytest.raises(ImageError, match="2 images that may be the H&E"):
        read(elements)
    slide = read(elements, image="other").slide
    assert slide is not None
    assert slide.path.name == "other"
    with pytest.raises(ConfigError, match="no image 'third' in the coordinate system 'global'"):
        read(elements, image="third")


@pytest.mark.slow
def test_images_elsewhere_and_of_fluorescence_are_left_out_with_the_reason(read: Read) -> None:
    elements = visium(MEASURED)
    pixels = TISSUE.picture(MEASURED.pose)
    away = np.eye(3)
    away[:2, 2] = 1e6
    dark = np.zeros_like(pixels)
    dark[200:300, 200:300] = (0, 0, 220)
    elements["images"] |= {"away": image(pixels, away), "lit": image(dark)}
    section = read(elements)
    assert section.slide is not None
    assert section.slide.path.name == "S1_full_image"
    note = next(note for note in section.notes if note.startswith("images that are no H&E"))
    assert "away (the spots are outside it)" in note
    assert "lit (it shows light on a dark ground" in note


@pytest.mark.slow
def test_an_image_of_one_field_of_view_is_left_out_with_what_it_shows(read: Read) -> None:
    elements = visium(MEASURED)
    pixels = elements["images"]["S1_full_image"]["scale0"]["image"].transpose("y", "x", "c").to_numpy()
    elements["images"] = {"1_image": image(pixels[: len(pixels) // 2])}
    section = read(elements)
    assert section.slide is None
    assert any("1_image (it shows" in note and "% of the spots)" in note for note in section.notes)


@pytest.mark.slow
def test_stains_are_refused_as_the_slide_even_by_name(read: Read) -> None:
    elements = visium(MEASURED)
    elements["images"]["stains"] = image(np.zeros((100, 100, 4), dtype=np.uint16))
    with pytest.raises(ImageError, match=r"the image 'stains' .* is no H&E: its 4 channels"):
        read(elements, image="stains")


@pytest.mark.slow
def test_a_scale_without_an_image_is_refused(read: Read) -> None:
    with pytest.raises(GeometryError, match="--image-scale is for an image given with --image"):
        read(visium(MEASURED), ImageInputs(image_scale=0.5))
