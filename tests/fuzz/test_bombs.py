"""No small file takes hours or all memory: it is refused with a sentence, in ten seconds and one gigabyte."""

from pathlib import Path

import pytest

from fuzz.bombs import BOMBS
from fuzz.trial import attempt

SECONDS = {"outlines that cross each other", "elements of XML"}  # what takes some until it is refused


@pytest.mark.ci_cases(*sorted(BOMBS.keys() - SECONDS)[::2])
@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_asks_for_more_than_it_holds_is_refused(name: str, tmp_path: Path) -> None:
    seed = BOMBS[name]
    seed.write(tmp_path)
    outcome = attempt(lambda: seed.read(tmp_path))
    assert not outcome.fault
    assert outcome.refused
