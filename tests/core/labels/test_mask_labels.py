from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.labelled import SIDE, Grid, labels, remarks
from bundles.scanners import LeicaArea, write_scn
from PIL import Image

from spacrd_core.errors import LabelError
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Section, SlideFile

# Centres are at x 250, 450, 650, 850 and y 350, 550, 750, 950 px; spots are discs of 120 px.
CLASSES = np.zeros((1200, 1000), dtype=np.uint8)
CLASSES[:, 100:550], CLASSES[:, 550:750] = 1, 2
ROW = ["cancer", "cancer", "normal", None]


def section(scale: float = 1.0) -> Section:
    """Return a section with a slide of the size of the classes at a scale."""
    pixels = np.zeros((round(1200 * scale), round(1000 * scale), 3), dtype=np.uint8)
    return replace(Grid().section(), slide=SlideFile(Path("slide.tif"), 0.5 / scale, scale=scale, pixels=pixels))


def mask(tmp_path: Path, pixels: Any, on: Section | None = None, **words: tuple[str, ...]) -> Section:
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    return attach_labels(on or section(), read_labels(tmp_path / "mask.png"), Vocabulary(**words))


@pytest.mark.parametrize("fraction", [1, 2, 3, 8])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_spot_has_the_class_at_its_centre_at_any_fraction_of_the_size(
    tmp_path: Path, fraction: int, scale: float
) -> None:
    after = mask(tmp_path, CLASSES[::fraction, ::fraction], section(scale), positive=("1",), ignore=("0",))
    assert labels(after) == ROW * SIDE
    obs = after.counts.obs
    assert obs["annotation"].tolist() == ["1", "1", "2", "0"] * SIDE
    assert not obs["label_contested"].any()
    assert obs["label_overlap"].to_numpy()[:3] == pytest.approx([1.0, 1.0, 1.0], abs=0.02)
    assert np.isnan(obs["label_overlap"].iloc[3])
    assert "labels of mask.png (spots): cancer 8 (1 8), normal 4 (2 4), unknown 4 (0 4)" in after.notes


def test_the_overlap_is_the_fraction_of_the_spot_with_its_label(tmp_path: Path) -> None:
    cut = CLASSES.copy()
    cut[:, 250:] = 2  # through the centres of the first column
    after = mask(tmp_path, cut, positive=("1",), ignore=("0",))
    assert labels(after)[0] == "normal"
    assert after.counts.obs["label_overlap"].iloc[0] == pytest.approx(0.5, abs=0.05)


def test_colours_may_be_given_in_any_case(tmp_path: Path) -> None:
    colours = np.array([[255, 255, 255], [255, 0, 0], [0, 128, 0]], dtype=np.uint8)[CLASSES]
    after = mask(tmp_path, colours, positive=("#FF0000",), ignore=("#FFFFFF",))
    assert labels(after) == ROW * SIDE


def test_values_of_unstated_meaning_are_refused_with_their_shares(tmp_path: Path) -> None:
    for ignore in ((), ("0",)):
        with pytest.raises(LabelError, match=r"has the values 0 \(35\.0%\), 1 \(45\.0%\), 2 \(20\.0%\)") as caught:
            mask(tmp_path, CLASSES, ignore=ignore)
        assert "--positive" in caught.value.hint


def test_a_background_that_counts_as_normal_is_stated(tmp_path: Path) -> None:
    after = mask(tmp_path, CLASSES, positive=("1",))
    assert labels(after) == ["cancer", "cancer", "normal", "normal"] * SIDE
    assert remarks(after)[-1] == "mask.png: 0 counts as normal; if it means not annotated, --ignore '0'"


def test_the_colours_of_a_palette_are_accepted(tmp_path: Path) -> None:
    image = Image.fromarray(CLASSES, mode="P")
    image.putpalette([255, 255, 255, 255, 0, 0, 0, 128, 0])
    image.save(tmp_path / "mask.png")
    vocabulary = Vocabulary(positive=("#ff0000",), ignore=("#ffffff",))
    after = attach_labels(section(), read_labels(tmp_path / "mask.png"), vocabulary)
    assert labels(after) == ROW * SIDE
    assert set(after.counts.obs["annotation"]) == {"#ffffff", "#ff0000", "#008000"}


def test_a_mask_at_full_resolution_fits_a_section_with_a_preview(tmp_path: Path) -> None:
    after = mask(tmp_path, CLASSES, section(0.25), positive=("1",), ignore=("0",))
    assert labels(after) == ROW * SIDE
    assert "mask.png: a mask in the px of the full-resolution image" in after.notes


@pytest.mark.parametrize("fraction", [1, 4])
def test_a_mask_of_what_viewers_show_of_a_slide_is_placed_there(tmp_path: Path, fraction: int) -> None:
    pytest.importorskip("openslide", reason="openslide is an extra")
    scanned = CLASSES[256:1024, 192:960]  # all spots are in it
    slide = tmp_path / "slide.scn"
    write_scn(slide, [LeicaArea(np.full((768, 768, 3), 200, dtype=np.uint8), 192, 256)], size=(1600, 1280))
    on = replace(Grid().section(), slide=SlideFile(slide, 0.5, scale=1.0))
    after = mask(tmp_path, scanned[::fraction, ::fraction], on, positive=("1",), ignore=("0",))
    assert labels(after) == ROW * SIDE
    part = "the px" if fraction == 1 else "1/4 of the px"
    assert f"mask.png: a mask in {part} of the scanned part of slide.scn, which viewers show" in after.notes


def test_spots_outside_the_slide_have_no_label(tmp_path: Path) -> None:
    target = section()
    target.counts.obs.loc[target.counts.obs_names[0], ["x_px", "x_um"]] = [-100.0, -50.0]
    after = mask(tmp_path, CLASSES, target, positive=("1",), ignore=("0",))
    assert labels(after)[0] is None
    assert remarks(after)[-1] == "mask.png: 5 of 16 spots have no label (1 outside the mask, 4 undetermined)"


@pytest.mark.parametrize("pixels", [CLASSES[:900], CLASSES.T.copy(), CLASSES[:700, :700]])
def test_a_mask_of_another_frame_is_refused(tmp_path: Path, pixels: Any) -> None:
    with pytest.raises(LabelError, match="neither the slide's size nor a whole fraction of it"):
        mask(tmp_path, pixels, positive=("1",))


def test_a_mask_needs_a_slide_and_a_spot(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="is placed by the size of the slide"):
        mask(tmp_path, CLASSES, Grid().section(), positive=("1",))
    far = section()
    far.counts.obs["x_px"] += 5000
    with pytest.raises(LabelError, match="no spot is in the mask"):
        mask(tmp_path, CLASSES, far, positive=("1",))
