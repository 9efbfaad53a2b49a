from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import CELLS, GRID_NAMES, SIDE, Grid, annotation, attach, box, collection, labels, remarks

from spacrd_core.errors import LabelError
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Section

# Centres are at x 250, 450, 650, 850 and y 350, 550, 750, 950 px; spots are discs of 120 px.
LEFT, RIGHT = box(150, 250, 550, 1050), box(550, 250, 950, 1050)
ROW = ["cancer", "cancer", "normal", "normal"]


def draw(tmp_path: Path, *features: dict[str, object], on: Section | None = None, **words: tuple[str, ...]) -> Section:
    section = on or Grid().section()
    return attach(tmp_path / "regions.geojson", collection(*features), section, Vocabulary(**words))


def test_a_spot_has_the_label_of_the_polygon_that_contains_its_centre(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(LEFT), annotation(RIGHT, "Stroma"))
    assert labels(after) == ROW * SIDE
    obs = after.counts.obs
    assert obs["annotation"].tolist() == ["Tumor", "Tumor", "Stroma", "Stroma"] * SIDE
    assert set(obs["label_source"]) == {"regions.geojson"}
    assert obs["label_overlap"].tolist() == [1.0] * 16
    assert not obs["label_contested"].any()
    assert [source.role for source in after.sources] == ["labels"]
    assert remarks(after) == ()


def test_spots_in_no_polygon_have_no_label_and_are_counted(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(LEFT))
    assert labels(after) == ["cancer", "cancer", None, None] * SIDE
    assert after.counts.obs["label_overlap"].isna().tolist() == [False, False, True, True] * SIDE
    assert remarks(after) == (
        "regions.geojson: 8 of 16 spots have no label (8 in no polygon, 0 contested, 0 undetermined)",
        "regions.geojson: no spot is normal; spots outside polygons are unknown, so annotate normal tissue as well",
    )


def test_the_overlap_is_the_fraction_of_the_spot_in_polygons_of_its_label(tmp_path: Path) -> None:
    upper, lower = box(150, 250, 550, 350), box(150, 350, 480, 1050)  # meet in the centres of the first row
    after = draw(tmp_path, annotation(upper), annotation(lower, "DCIS"), annotation(RIGHT, "Stroma"))
    overlap = after.counts.obs["label_overlap"].to_numpy().reshape(SIDE, SIDE)
    assert overlap[0] == pytest.approx([1.0, 0.5 + fraction_left_of(30) / 2, 1.0, 1.0], abs=0.01)
    assert overlap[1:] == pytest.approx(np.tile([1.0, fraction_left_of(30), 1.0, 1.0], (3, 1)), abs=0.01)


def fraction_left_of(distance: float, radius: float = 60.0) -> float:
    """Return the fraction of a disc on the centre's side of a line."""
    angle = np.arccos(distance / radius)
    return float(1 - (angle - np.sin(angle) * np.cos(angle)) / np.pi)


def test_square_spots_are_upright_in_um_for_any_rotation_of_the_image(tmp_path: Path) -> None:
    section = replace(Grid().section(), spot_shape="square", spot_um=100.0)
    obs = section.counts.obs
    rotated = np.array([[np.cos(0.5), np.sin(0.5)], [np.sin(0.5), -np.cos(0.5)]])  # and mirrored
    obs[["x_um", "y_um"]] = obs[["x_px", "y_px"]].to_numpy() * 0.5
    obs[["x_px", "y_px"]] = obs[["x_px", "y_px"]].to_numpy() @ rotated + 1000
    ring = (np.array(LEFT[0]) @ rotated + 1000).tolist()
    after = draw(tmp_path, annotation([ring]), on=section)
    assert labels(after) == ["cancer", "cancer", None, None] * SIDE
    assert after.counts.obs["label_overlap"].dropna().to_numpy() == pytest.approx(np.ones(8))


def test_spots_on_one_line_have_an_overlap_as_well(tmp_path: Path) -> None:
    section = Grid().section()
    line = replace(section, counts=section.counts[:SIDE].copy())
    after = draw(tmp_path, annotation(box(0, 0, 450, 2000)), on=line)
    assert after.counts.obs["label_overlap"].tolist()[:2] == pytest.approx([1.0, 0.5])


def test_holes_are_outside(tmp_path: Path) -> None:
    pierced = [*box(150, 250, 950, 1050), *box(400, 500, 700, 800)]
    after = draw(tmp_path, annotation(pierced))
    inner = np.isin(np.arange(16), [5, 6, 9, 10])
    assert labels(after) == [None if hole else "cancer" for hole in inner]
    overlap = after.counts.obs["label_overlap"].to_numpy()
    assert np.isnan(overlap[inner]).all()
    assert overlap[0] == 1.0
    assert overlap[~inner].min() > 0.8


def test_a_centre_in_polygons_of_cancer_and_of_normal_is_contested_and_unknown(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(box(150, 250, 750, 1050)), annotation(RIGHT, "Stroma"))
    assert labels(after) == ["cancer", "cancer", None, "normal"] * SIDE
    assert after.counts.obs["label_contested"].tolist() == [False, False, True, False] * SIDE
    assert after.counts.obs["annotation"].tolist()[2] == "Stroma / Tumor"
    assert remarks(after) == (
        "regions.geojson: 4 of 16 spots have no label (0 in no polygon, 4 contested, 0 undetermined)",
    )


def test_polygons_of_one_meaning_may_overlap(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(LEFT, "Tumor"), annotation(box(200, 300, 300, 400), "DCIS"))
    assert labels(after)[:2] == ["cancer", "cancer"]
    assert after.counts.obs["annotation"].tolist()[:2] == ["DCIS", "Tumor"]
    assert after.counts.obs["label_overlap"].iloc[0] == 1.0


def test_polygons_inside_an_unknown_outline_take_precedence_as_does_a_fold_in_the_tumour(
    tmp_path: Path,
) -> None:
    tissue, fold = annotation(box(0, 0, 2000, 2000), "Tissue"), annotation(box(200, 300, 300, 400), "Ignore*")
    after = draw(tmp_path, tissue, annotation(LEFT), fold, ignore=("Tissue",))
    assert labels(after)[:4] == [None, "cancer", None, None]
    assert not after.counts.obs["label_contested"].any()
    assert remarks(after)[0].endswith("(0 in no polygon, 0 contested, 9 undetermined)")


def test_a_class_of_unknown_meaning_is_refused_with_the_options(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"labels of unknown meaning: 'Region\*' \(1\)") as caught:
        draw(tmp_path, annotation(LEFT), annotation(RIGHT, "Region*"))
    assert "--positive" in caught.value.hint


def test_spots_summed_from_cells_are_labelled_by_their_centres_as_well(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(LEFT), annotation(RIGHT, "Stroma"), on=Grid(GRID_NAMES, CELLS).section())
    assert labels(after) == ROW * SIDE
    assert "label_fraction" not in after.counts.obs


def test_polygons_of_another_image_are_refused_with_both_extents(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as caught:
        draw(tmp_path, annotation(box(4000, 4000, 9000, 5000)))
    assert f"no spot is in a polygon of {tmp_path / 'regions.geojson'}" in str(caught.value)
    extents = "the polygons span x 4000 to 9000, y 4000 to 5000, the spots x 250 to 850, y 350 to 950"
    assert extents in str(caught.value)
    assert "--labels" in caught.value.hint


def test_polygons_drawn_on_a_smaller_image_are_read_in_its_px_with_a_note(tmp_path: Path) -> None:
    left, right = box(15, 25, 55, 105), box(55, 25, 95, 105)  # the halves, in px of an image of a tenth
    after = draw(tmp_path, annotation(left), annotation(right, "Stroma"), on=Grid(scale=0.1).section())
    assert labels(after) == ROW * SIDE
    assert len(remarks(after)) == 1
    assert remarks(after)[0].startswith("regions.geojson: polygons were read in px of hires.png")
    assert after.counts.obs["label_overlap"].max() == pytest.approx(1.0)


def test_polygons_in_full_resolution_px_are_read_as_such_for_any_image(tmp_path: Path) -> None:
    after = draw(tmp_path, annotation(LEFT), annotation(RIGHT, "Stroma"), on=Grid(scale=0.5).section())
    assert labels(after) == ROW * SIDE
    assert len(remarks(after)) == 1
    assert remarks(after)[0].startswith("regions.geojson: polygons were read in full-resolution px")


def test_polygons_in_um_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as caught:
        draw(tmp_path, annotation(box(115, 165, 235, 305)))
    assert "regions.geojson fit the um of this section" in str(caught.value)
    assert "in px of the image" in caught.value.hint
