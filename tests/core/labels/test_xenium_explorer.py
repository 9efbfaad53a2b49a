from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import CELLS, GRID_NAMES, SIDE, Grid, attach, labels

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.tables import LabelTable, read_labels
from spacrd_core.section.section import Section

# In um; the centres are at x 125, 225, 325, 425 and y 175 to 475.
LEFT, RIGHT = [(75, 125), (275, 125), (275, 525), (75, 525)], [(275, 125), (475, 125), (475, 525), (275, 525)]
AREAS = "#Areas (µm^2): 80000.00, 80000.00\n"


def rows(prefix: str, corners: list[tuple[int, int]], suffix: str = "") -> str:
    return "".join(f"{prefix}{x:.2f},{y:.2f}{suffix}\n" for x, y in [*corners, corners[0]])


ONE = "#Selection name: Tumor\n#Area (µm^2): 80000.00\nX,Y\n" + rows("", LEFT)
SEVERAL = (
    "#Selection names: Tumor, Stroma\n" + AREAS + "Selection,X,Y\n" + rows("Tumor,", LEFT) + rows("Stroma,", RIGHT)
)
CLASSES = (
    "#Selection names: Selection 1, Selection 2\n"
    + AREAS
    + "Selection,X,Y,Class,Color\n"
    + rows("Selection 1,", LEFT, ",Tumor,#FF0000")
    + rows("Selection 2,", RIGHT, ",Stroma,#00FF00")
)


def turned(section: Section) -> Section:
    """Return a section whose image is turned by 90 degrees against its um, shifted and of another scale."""
    obs = section.counts.obs
    um = obs[["x_um", "y_um"]].to_numpy()
    obs[["x_px", "y_px"]] = um @ np.array([[0.0, 3.0], [-3.0, 0.0]]) + 5000
    return replace(section, um_per_px=1 / 3)


@pytest.mark.parametrize("text", [SEVERAL, CLASSES])
def test_selections_in_um_label_the_spots_inside_on_any_image(tmp_path: Path, text: str) -> None:
    after = attach(tmp_path / "coordinates.csv", text, turned(Grid().section()))
    assert labels(after) == ["cancer", "cancer", "normal", "normal"] * SIDE
    assert after.counts.obs["label_overlap"].tolist() == [1.0] * 16
    assert "coordinates.csv: read as selections of Xenium Explorer, in um" in after.notes


@pytest.mark.parametrize("text", [ONE, "\ufeff" + ONE.replace("\n", "\r\n"), ONE.replace("#Selection", '"#Selection')])
def test_a_lone_selection_is_called_by_the_first_line(tmp_path: Path, text: str) -> None:
    after = attach(tmp_path / "tumor.csv", text, turned(Grid().section()))
    assert labels(after) == ["cancer", "cancer", None, None] * SIDE


def test_two_outlines_of_one_name_are_two_polygons(tmp_path: Path) -> None:
    path = tmp_path / "coordinates.csv"
    path.write_text(SEVERAL.replace("Stroma", "Tumor"), encoding="utf-8")
    polygons = read_labels(path)
    assert isinstance(polygons, Polygons)
    assert [shape.area for shape in polygons.shapes] == [80000.0, 80000.0]
    assert polygons.unit == "um"


def test_the_cells_of_a_selection_label_their_spots(tmp_path: Path) -> None:
    header = "#Selection name: Tumor, left\n#Area (µm^2): 1\nCell ID,Cluster,Transcripts,Area (µm^2)\n"
    text = header + "".join(f"{name},Cluster 1,100,50.0\n" for name in CELLS[:8])
    path = tmp_path / "cells_stats.csv"
    path.write_text(text, encoding="utf-8")
    table = read_labels(path)
    assert isinstance(table, LabelTable)
    assert set(table.rows["value"]) == {"Tumor, left"}
    section = Grid(GRID_NAMES, CELLS).section()
    after = attach(path, text.replace("Tumor, left", "Tumor"), section)
    assert labels(after) == ["cancer"] * 2 + [None] * 14
    assert not any("gene expression" in note for note in after.notes)


def test_a_spot_with_few_of_its_cells_in_a_selection_has_no_label(tmp_path: Path) -> None:
    cells = (*CELLS[:4], *CELLS[4:6], *CELLS[8:9])  # all, half and a quarter of the cells of three spots
    text = "#Selection name: Tumor\nCell ID,Cluster\n" + "".join(f"{name},1\n" for name in cells)
    after = attach(tmp_path / "cells_stats.csv", text, Grid(GRID_NAMES, CELLS).section())
    assert labels(after)[:3] == ["cancer", "cancer", None]
    assert after.counts.obs["label_fraction"].isna().tolist()[:3] == [False, False, True]
    outside = "cells_stats.csv: spots with less than half of their cells in selections, without a label: 1"
    assert outside in after.notes


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("#Selection name: Tumor\nGene,Count\nA,1\n", "have neither X, Y nor Cell ID, only 'gene', 'count'"),
        ("#Selection name: Tumor\nX,Y\n1,2\n3,4\n", "have no outline of three corners or more"),
        ("#Selection name: Tumor\nX,Y\n1,a\n3,4\n5,6\n", "have coordinates that are not numbers"),
        ("#Selection name:\nX,Y\n1,2\n3,4\n5,6\n", "has no name"),
        ("#Selection name: Tumor\n#Area: 1\n", "has only one column"),
    ],
)
def test_an_unusable_selection_is_refused_by_name(tmp_path: Path, text: str, phrase: str) -> None:
    path = tmp_path / "coordinates.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelError, match=phrase) as caught:
        read_labels(path)
    assert "coordinates.csv" in str(caught.value)
