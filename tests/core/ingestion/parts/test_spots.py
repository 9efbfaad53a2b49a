"""The region of every spot, and the part that is cut out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import BARCODES, BINS, CELLS, Grid, annotation, box, collection, table

from spacrd_core.errors import LabelError
from spacrd_core.ingestion.parts.cut import cut
from spacrd_core.ingestion.parts.regions import read_regions
from spacrd_core.ingestion.parts.spots import regions_of_spots
from spacrd_core.section.section import Section, Source

# Centres are at x 250, 450, 650, 850 and y 350, 550, 750, 950 px.
LEFT, RIGHT = box(150, 250, 550, 1050), box(550, 250, 950, 1050)
ROW = [0, 0, 1, 1]


def found(folder: Path, section: Section, text: str, name: str = "r.geojson") -> tuple[list[int], tuple[str, ...]]:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    region, notes = regions_of_spots(section, read_regions(file))
    return region.tolist(), notes


def two(left: object = LEFT, right: object = RIGHT) -> str:
    return collection(annotation(left, name="a"), annotation(right, name="b"))  # type: ignore[arg-type]


def by_cell(ids: Sequence[str], regions: Sequence[str]) -> str:
    return table("cell_id,region", ids, regions)


def test_a_spot_is_in_the_region_that_contains_its_centre(tmp_path: Path) -> None:
    assert found(tmp_path, Grid().section(), two()) == (ROW * 4, ())


def test_spots_in_no_region_and_regions_without_spots_are_noted(tmp_path: Path) -> None:
    region, notes = found(tmp_path, Grid().section(), two(right=box(5000, 0, 5100, 100)))
    assert region == [0, 0, -1, -1] * 4
    assert notes == (
        "r.geojson: spots in no region, left out: 8 of 16",
        "r.geojson: regions without spots, left out: b",
    )


def test_spots_in_two_regions_are_refused_with_the_regions_and_the_spots(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"4 spots lie in more than one region .* \('a', 'b'\): AGA"):
        found(tmp_path, Grid().section(), two(left=box(150, 250, 750, 1050), right=box(550, 250, 950, 1050)))


def test_overlapping_outlines_of_one_region_are_one(tmp_path: Path) -> None:
    text = collection(annotation(LEFT, name="a"), annotation(box(150, 250, 950, 1050), name="a"))
    assert found(tmp_path, Grid().section(), text)[0] == [0] * 16


def test_regions_elsewhere_are_refused_and_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no spot is in a polygon") as caught:
        found(tmp_path, Grid().section(), two(box(5000, 0, 5100, 100), box(6000, 0, 6100, 100)))
    assert "--region" in caught.value.hint


def test_regions_drawn_on_a_smaller_image_are_moved_to_full_resolution(tmp_path: Path) -> None:
    left, right = (box(*(x / 10 for x in corners)) for corners in ((150, 250, 550, 1050), (550, 250, 950, 1050)))
    region, notes = found(tmp_path, Grid(scale=0.1).section(), two(left, right))
    assert region == ROW * 4
    assert notes == (
        "r.geojson: polygons were read in px of hires.png, where they contain the spots, not in full-resolution px",
    )


def test_a_table_gives_the_region_of_each_spot(tmp_path: Path) -> None:
    text = table("barcode,region", BARCODES, ["a", "a", "b", ""] * 4)
    region, notes = found(tmp_path, Grid().section(), text, "r.csv")
    assert region == [0, 0, 1, -1] * 4
    assert "r.csv: spots in no region, left out: 4 of 16" in notes


def test_a_table_of_another_section_is_refused(tmp_path: Path) -> None:
    text = table("barcode,region", [name.replace("AAAA", "CCCC") for name in BARCODES], ["a", "a", "b", "b"] * 4)
    with pytest.raises(LabelError, match="16 of the 16 labels"):
        found(tmp_path, Grid().section(), text, "r.csv")


@pytest.mark.parametrize(("ids", "kind"), [(CELLS, "cell"), (BINS, "bin")])
def test_a_spot_is_in_the_region_of_half_of_its_cells_unless_others_are_in_another(
    ids: Sequence[str], kind: str, tmp_path: Path
) -> None:
    section = Grid(sub_spots=ids, kind=kind).section()  # type: ignore[arg-type]
    cells = ["a"] * 4 + ["a", "a", "", ""] + ["a", "", "", ""] + ["a", "a", "a", "b"] + ["b"] * 48
    region, notes = found(tmp_path, section, by_cell(ids, cells), "r.csv")
    assert region == [0, 0, -1, -1] + [1] * 12
    assert f"r.csv: spots with {kind}s of several regions, left out: 1 ({BARCODES[3]})" in notes


def test_a_part_has_its_spots_and_their_cells_and_knows_all_spots_of_the_capture_area(tmp_path: Path) -> None:
    whole = Grid(sub_spots=CELLS).section()
    whole.counts.X = np.arange(32).reshape(16, 2)
    assert whole.sub_spots
    whole.sub_spots.spots[-1] = -1  # a cell outside all spots
    inside = np.arange(16) >= 14
    part = cut(whole, inside, Source("region", tmp_path / "r.geojson", "sum"), ("a note",))
    assert part.counts.obs_names.tolist() == list(BARCODES[14:])
    assert np.asarray(part.counts.X).tolist() == [[28, 29], [30, 31]]
    assert part.sub_spots
    assert [name.decode() for name in part.sub_spots.ids] == list(CELLS[56:63])
    assert part.sub_spots.spots.tolist() == [0] * 4 + [1] * 3
    assert part.counts.uns["counts_order"].tolist() == list(BARCODES)
    assert [source.role for source in part.sources] == ["region"]
    assert part.notes == ("a note",)
    assert whole.counts.n_obs == 16
