"""Section ids of regions."""

from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.parts.names import part_ids

FILE = Path("regions.geojson")


def test_a_part_is_named_after_its_capture_area_and_its_region() -> None:
    assert part_ids("TMA", ["A-1", "2"], FILE) == ({"A-1": "TMA.A-1", "2": "TMA.2"}, ())


def test_names_that_no_section_can_have_are_changed_and_noted() -> None:
    ids, notes = part_ids("S", ["Core 1/a", "métastase"], FILE)
    assert ids == {"Core 1/a": "S.Core_1_a", "métastase": "S.metastase"}
    assert notes == (
        "regions.geojson: names made valid section ids: 'Core 1/a' as S.Core_1_a, 'métastase' as S.metastase",
    )


@pytest.mark.parametrize("names", [["a b", "a_b"], ["a", "A"]])
def test_two_regions_of_one_id_are_refused_by_name(names: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"regions '{names[0]}', '{names[1]}' .* the same section"):
        part_ids("S", names, FILE)


def test_a_name_of_which_nothing_is_possible_is_refused() -> None:
    with pytest.raises(ConfigError, match="'腫瘍'"):
        part_ids("S", ["a", "腫瘍"], FILE)
