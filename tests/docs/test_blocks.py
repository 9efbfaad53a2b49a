"""Every block of the README and the docs runs, in order, as a reader would run it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from documentation.blocks import Step, blocks, excused, lines, steps
from documentation.exceptions import INSTEAD, NOT_RUN

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = {"", "bash", "python", "toml", "json", "csv"}


@pytest.mark.parametrize("step", steps(), ids=lambda step: f"{step.place} {step.text.splitlines()[0]}")
def test_what_a_page_says_works(step: Step, done: Mapping[tuple[str, str], dict[str, object]]) -> None:
    result = done[step.place, step.text]
    assert result["code"] == 0, f"{step.text}\n{result['out']}\n{result['err']}"


@pytest.mark.parametrize("step", lines(), ids=lambda step: f"{step.place} {step.text}")
def test_every_line_of_a_shell_is_ours_or_excused(step: Step) -> None:
    assert step.text.startswith("spacrd ") or excused(step.text)


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_every_excuse_is_still_needed(pattern: str) -> None:
    python = [block.text for block in blocks("python")]
    assert any(re.search(pattern, text) for text in [*(step.text for step in lines()), *python])


@pytest.mark.parametrize("pattern", INSTEAD)
def test_every_change_of_a_line_is_still_needed(pattern: str) -> None:
    assert any(re.search(pattern, step.text) for step in lines() if not excused(step.text))


def test_every_block_is_of_a_language_that_is_checked() -> None:
    assert {block.language for block in blocks()} <= LANGUAGES
    for block in blocks("toml"):
        assert tomllib.loads(block.text)
    for block in blocks("json"):
        assert json.loads(block.text)
