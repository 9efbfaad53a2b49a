"""docs/files.md lists what is written about suggested spots."""

import re
from pathlib import Path

from spacrd_core.suggestion.geojson import MEASUREMENT_NAMES
from spacrd_core.suggestion.write import CSV_COLUMNS

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8")
CHAPTER = PAGE.partition("## Suggested spots")[2].partition("\n## ")[0]


def named(heading: str) -> list[str]:
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", CHAPTER, re.MULTILINE)
    assert table
    return re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table[1].splitlines()))


def test_the_columns_are_on_the_page() -> None:
    assert named("column") == ["spot_id", *CSV_COLUMNS]


def test_the_measurements_are_on_the_page() -> None:
    assert named("measurement of a suggested spot") == [*MEASUREMENT_NAMES.values()]
