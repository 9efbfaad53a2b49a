"""The commands: all of them, in the order of the work, each explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spacrd_cli import main
from spacrd_cli.app import ORDER


def shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main.run(arguments) == 0
    return capsys.readouterr().out


def test_help_lists_every_command_in_the_order_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, listing = shown(["--help"], capsys).partition("Commands")
    assert tuple(re.findall(r"^\W+([a-z]+)  +[A-Z]", listing, re.MULTILINE)) == ORDER


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown([], capsys).split() == shown(["--help"], capsys).split()


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"spacrd \d+\.\d+\.\d+\n", shown(["--version"], capsys))


def test_the_readme_names_the_commands_that_take_the_common_options(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    found = re.search(
        r"^(`ingest`.*?) take `--json`, `--quiet`, `--config.*?but (.*?) take `--json`;",
        readme,
        re.MULTILINE | re.DOTALL,
    )
    assert found
    full, none = (set(re.findall(r"`(\w+)`", part)) for part in found.groups())
    groups = {"store": "ls", "plugins": "list"}
    for command in ORDER:
        text = shown([command, *([groups[command]] if command in groups else []), "--help"], capsys)
        assert ("--json" in text) == (command not in none), command
        assert all(f"--{option}" in text for option in ("quiet", "config", "set")) == (command in full), command


@pytest.mark.parametrize("command", ORDER)
def test_every_command_explains_itself_and_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown([command, "--help"], capsys)
    assert f"spacrd {command}" in text
    bare = [line for line in text.splitlines() if re.fullmatch(r"\W*--[a-z-]+\W*(<\w+>)?\W*", line)]
    assert bare == [], "options without a word of help"
