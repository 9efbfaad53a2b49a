"""Finding the H&E of a bundle and its alignment; no alignment is ever assumed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bundles.tissue import Pose
from bundles.xenium import He, XeniumBundle, write_he
from PIL import Image

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.section.section import ImageInputs
from spacrd_readers.xenium.bundle import find_bundle
from spacrd_readers.xenium.he_image import HeFiles, find_he
from spacrd_readers.xenium.reader import Xenium

HE = He(Pose(um_per_px=20.0))
BUNDLE = XeniumBundle(step_um=150.0)


def find(path: Path, **inputs: object) -> HeFiles | None:
    he = find_he(find_bundle(path), ImageInputs(**inputs))  # type: ignore[arg-type]
    assert he is None or isinstance(he, HeFiles)
    return he


def with_he(folder: Path, he: He = HE) -> tuple[Path, Path]:
    return write_he(folder, he, BUNDLE.tissue, 0.2125)


@pytest.mark.parametrize("where", ["", "outs"])
@pytest.mark.parametrize(
    ("name", "alignment"),
    [
        ("T1_he_image.ome.tif", "T1_he_imagealignment.csv"),
        ("T1_HE_Image.tif", "T1_HE_Image_alignment.csv"),
        ("scan 7.tif", "scan 7_matrix.csv"),
        ("scan.ome.tif", "scan.ome_keypoints.csv"),
        ("scan.png", "scan.png_matrix.csv"),
    ],
)
def test_an_h_and_e_beside_or_in_the_bundle_is_found_with_its_alignment(
    tmp_path: Path, where: str, name: str, alignment: str
) -> None:
    outs = BUNDLE.write(tmp_path / "outs")
    image, path = with_he(tmp_path / where, replace(HE, name=name))
    path.rename(image.with_name(alignment))
    assert find(outs) == HeFiles(image, image.with_name(alignment))


def test_given_files_take_precedence_over_those_found(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path / "outs")
    image, alignment = with_he(tmp_path)
    (tmp_path / "mine").mkdir()
    other, paired = with_he(tmp_path / "mine", replace(HE, name="mine.png"))
    assert find(outs, image=other) == HeFiles(other, paired)
    assert find(outs, image=other, alignment=alignment) == HeFiles(other, alignment)
    assert find(outs, alignment=paired) == HeFiles(image, paired)
    assert find(outs, with_image=False) is None


def test_the_bundle_s_own_images_are_never_the_h_and_e(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path / "outs")
    focus = outs / "morphology_focus"
    focus.mkdir()
    own = [outs / "morphology.ome.tif", outs / "morphology_mip.ome.tif", outs / "T1_morphology.ome.tif"]
    own += [outs / "ch0000_dapi.ome.tif", outs / "T1_if_image.ome.tif", focus / "morphology_focus_0000.ome.tif"]
    for path in own:
        Image.new("RGB", (8, 8)).save(path)
        path.with_name(path.name.replace(".ome.tif", "alignment.csv")).write_text("1,0,0\n0,1,0\n0,0,1\n")
    assert find(outs) is None
    for path in own:
        with pytest.raises(ImageError) as caught:
            find(outs, image=path)
        assert f"{path} is a fluorescence image" in str(caught.value)
        assert "--no-image" in caught.value.hint


def test_other_images_in_the_folder_are_not_the_h_and_e(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path / "outs")
    for name in ("photo.png", "figure.tif", "._T1_he_image.ome.tif"):
        Image.new("RGB", (8, 8)).save(outs / name, format="png")
    assert find(outs) is None


@pytest.mark.parametrize("given", [False, True])
def test_an_h_and_e_without_an_alignment_is_refused_until_it_is_stated(tmp_path: Path, given: bool) -> None:  # noqa: FBT001
    outs = BUNDLE.write(tmp_path)
    image, _ = with_he(tmp_path, replace(HE, alignment="none"))
    with pytest.raises(GeometryError) as caught:
        Xenium(Xenium.Options()).read(outs, ImageInputs(image=image if given else None))
    assert f"the H&E {image} has no alignment" in str(caught.value)
    for phrase in ("--alignment FILE", "1,0,0 and 0,1,0 and 0,0,1", "--no-image"):
        assert phrase in caught.value.hint


def test_an_h_and_e_that_is_registered_already_is_stated_by_the_identity(tmp_path: Path) -> None:
    on_morphology = Pose(um_per_px=2.0, margin_um=0.0)  # px for px, at a morphology px of 2 um
    folder = replace(BUNDLE, pixel_size=2.0, he=He(on_morphology, alignment="none")).write(tmp_path)
    identity = tmp_path / "identity.csv"
    identity.write_text("1,0,0\n0,1,0\n0,0,1\n")
    section = Xenium(Xenium.Options()).read(folder, ImageInputs(alignment=identity))
    assert section.slide
    assert section.um_per_px == section.slide.um_per_px == 2.0
    assert (section.counts.obs["x_px"] * 2 - section.counts.obs["x_um"]).abs().max() < 1e-9


def test_several_images_are_not_chosen_from(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path)
    with_he(tmp_path)
    with_he(tmp_path, replace(HE, name="T2_he_image.ome.tif"))
    with pytest.raises(ImageError) as caught:
        find(outs)
    assert f"{tmp_path} holds 2 images that may be the H&E: T1_he_image.ome.tif, T2_he_image.ome.tif" in str(
        caught.value
    )
    assert "--image FILE" in caught.value.hint


def test_the_h_and_e_of_another_bundle_beside_is_not_taken(tmp_path: Path) -> None:
    """Downloads of several sections in one folder: each bundle takes the image that carries its own name."""
    ours = BUNDLE.write(tmp_path / "T1")
    others = [replace(BUNDLE, prefix="T2_").write(tmp_path / "T2_outs"), BUNDLE.write(tmp_path / "T")]
    image, alignment = with_he(tmp_path)
    assert find(ours) == HeFiles(image, alignment)
    assert [find(other) for other in others] == [None, None]
    shutil.rmtree(ours)
    shutil.rmtree(others[0])
    (others[1] / "._experiment.xenium").touch()  # what macOS leaves behind
    assert find(others[1]) == HeFiles(image, alignment)  # the only bundle there


def test_the_folder_above_is_found_from_inside_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BUNDLE.write(tmp_path / "outs"))
    files = HeFiles(*with_he(tmp_path))
    assert find(Path()) == files


def test_an_alignment_without_an_image_and_missing_files_are_errors(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path)
    path = tmp_path / "matrix.csv"
    path.write_text("1,0,0\n0,1,0\n0,0,1\n")
    with pytest.raises(GeometryError) as caught:
        find(outs, alignment=path)
    assert f"no H&E image was given or found for the alignment {path}" in str(caught.value)
    assert "--image FILE" in caught.value.hint
    for role in ("image", "alignment"):
        with pytest.raises(MissingFile) as missing:
            find(outs, **{role: tmp_path / "none.tif"})
        assert f"the {role} {tmp_path / 'none.tif'} does not exist" in str(missing.value)
