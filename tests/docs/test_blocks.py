"""Every block of the README and the docs runs, in order, as a user would run it; a mistake causes its message."""

import json
import re
import tomllib
from typing import Any

import pytest
from documentation.blocks import PAGES, ROOT, TUTORIAL, Step, blocks, excused, lines, steps
from documentation.exceptions import INSTEAD, NOT_RUN
from documentation.mistakes import MISTAKES
from documentation.run import BEFORE, Done
from documentation.troubleshooting import PAGE, matching, messages

PAGES_IN_CI = {"README.md", "tutorial.md", "plugins.md"}
LANGUAGES = {"", "bash", "python", "toml", "json", "csv"}


def _in_ci(step: Step) -> Any:
    return step if step.page in PAGES_IN_CI else pytest.param(step, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "step", [_in_ci(step) for step in steps()], ids=lambda step: f"{step.place} {step.text.splitlines()[0]}"
)
def test_every_step_of_a_page_works(step: Step, done: Done) -> None:
    result = done.results[step.place, step.text]
    assert result["code"] == 0, f"{step.text}\n{result['out']}\n{result['err']}"


@pytest.mark.parametrize("line", BEFORE)
def test_the_commands_before_the_readme_work(line: str, done: Done) -> None:
    result = done.results["README.md:0", line]
    assert result["code"] == 0, f"{result['out']}\n{result['err']}"


def test_the_tutorial_lists_files_that_its_commands_write(done: Done) -> None:
    named = set(re.findall(r"`(results/(?:B4\.)?[a-z][\w.]*)`", TUTORIAL.read_text()))
    assert len(named) >= 8
    missing = {name for name in named if not (done.world / "start" / name).exists()}
    # written only if the calls use genes, and for many sections
    assert missing <= {"results/B4.genes.csv", "results/report_sections"}


@pytest.mark.parametrize("step", lines(), ids=lambda step: f"{step.place} {step.text}")
def test_every_shell_command_is_spacrd_or_excused(step: Step) -> None:
    assert step.text.startswith("spacrd ") or excused(step.text)


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_every_excuse_is_still_needed(pattern: str) -> None:
    python = [block.text for block in blocks("python")]
    assert any(re.search(pattern, text) for text in [*(step.text for step in lines()), *python])
    for file in re.findall(r"[\w/.]+\.py", NOT_RUN[pattern]):
        assert (ROOT / file).exists()


@pytest.mark.parametrize("pattern", INSTEAD)
def test_every_change_of_a_line_is_still_needed(pattern: str) -> None:
    assert any(re.search(pattern, step.text) for step in lines() if not excused(step.text))


def test_every_block_is_seen_and_of_a_language_that_is_checked() -> None:
    fences = sum(len(re.findall(r"^ *(?:```|~~~)", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(blocks())
    assert {block.language for block in blocks()} <= LANGUAGES
    for block in blocks("toml"):
        assert tomllib.loads(block.text)
    for block in blocks("json"):
        assert json.loads(block.text)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_causes_the_message_on_the_page(mistake: str, done: Done) -> None:
    result = done.results["troubleshooting.md:0", MISTAKES[mistake]]
    output = " ".join(str(result["err"]).split()) + " ".join(str(result["out"]).split())
    assert matching(mistake).search(output), output
    assert mistake in messages()
    assert (result["code"] == 0) == (f"`{mistake}` (note)" in PAGE)
    assert "this is a bug" not in output
