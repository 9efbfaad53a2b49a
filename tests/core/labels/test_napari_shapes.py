from pathlib import Path

import pytest
from bundles.labelled import SIDE, Grid, attach, labels

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary

HEADER = "index,shape-type,vertex-index,axis-0,axis-1"
LEFT, RIGHT = [(150, 250), (550, 250), (550, 1050), (150, 1050)], [(550, 250), (950, 250), (950, 1050), (550, 1050)]


def shape(index: int, kind: str, corners: list[tuple[int, int]], more: str = "") -> str:
    return "".join(f"{index}.0,{kind},{n}.0,{y}.0,{x}.0{more}\n" for n, (x, y) in enumerate(corners))


def read(tmp_path: Path, text: str) -> Polygons:
    (tmp_path / "shapes.csv").write_text(text)
    polygons = read_labels(tmp_path / "shapes.csv")
    assert isinstance(polygons, Polygons)
    return polygons


def test_shapes_label_the_spots_inside_with_y_on_the_first_axis(tmp_path: Path) -> None:
    text = f"{HEADER}\n{shape(0, 'polygon', LEFT)}{shape(1, 'rectangle', RIGHT)}"
    after = attach(tmp_path / "shapes.csv", text, Grid().section(), Vocabulary(positive=("shape 0",)))
    assert labels(after) == ["cancer", "cancer", "normal", "normal"] * SIDE


def test_shapes_without_a_class_are_refused_with_their_names(tmp_path: Path) -> None:
    text = f"{HEADER}\n{shape(0, 'polygon', LEFT)}{shape(1, 'rectangle', RIGHT)}"
    with pytest.raises(LabelError, match=r"'shape 0'.*'shape 1'") as caught:
        attach(tmp_path / "shapes.csv", text, Grid().section())
    assert "--positive" in caught.value.hint


def test_a_column_that_was_added_is_the_class(tmp_path: Path) -> None:
    text = f"{HEADER},class\n{shape(0, 'polygon', LEFT, ',Tumor')}{shape(1, 'polygon', RIGHT, ',Stroma')}"
    assert read(tmp_path, text).values == ("Tumor", "Stroma")


def test_lines_and_paths_are_left_out_and_an_ellipse_is_one(tmp_path: Path) -> None:
    corners = [(0, 0), (10, 0), (10, 20), (0, 20)]
    text = f"{HEADER}\n{shape(0, 'ellipse', corners)}{shape(1, 'line', corners[:2])}{shape(2, 'path', corners)}"
    polygons = read(tmp_path, text)
    assert [outline.area for outline in polygons.shapes] == pytest.approx([3.14159 * 50], rel=0.01)
    assert "shapes.csv: left out: 1 lines, 1 paths" in polygons.notes


def test_the_last_two_axes_are_y_and_x_if_the_others_are_constant(tmp_path: Path) -> None:
    rows = "".join(f"0,polygon,{n},7,{y},{x}\n" for n, (x, y) in enumerate(LEFT))
    polygons = read(tmp_path, f"{HEADER},axis-2\n{rows}")
    assert polygons.shapes[0].bounds == (150, 250, 550, 1050)
    with pytest.raises(LabelError, match="in several planes of axis-0"):
        read(tmp_path, f"{HEADER},axis-2\n{rows.replace(',7,', ',8,', 1)}")


def test_shapes_without_an_area_or_with_texts_for_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="have no polygon, rectangle or ellipse"):
        read(tmp_path, f"{HEADER}\n{shape(0, 'line', LEFT[:2])}")
    with pytest.raises(LabelError, match="have coordinates that are not numbers"):
        read(tmp_path, f"{HEADER}\n0,polygon,0,a,1\n")
