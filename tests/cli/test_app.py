"""All commands are listed in workflow order, and every help text is shown as it is written."""

import re
from pathlib import Path

import pytest
from commands_page import Page, commands

from spacrd_cli import main
from spacrd_cli.app import COMMAND_ORDER


def shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main.run(arguments) == 0
    return capsys.readouterr().out


def test_help_lists_every_command_in_workflow_order(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, listing = shown(["--help"], capsys).partition("Commands")
    assert tuple(re.findall(r"^\W+([a-z]+)  +[A-Z]", listing, re.MULTILINE)) == COMMAND_ORDER


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown([], capsys).split() == shown(["--help"], capsys).split()


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"spacrd \d+\.\d+\.\d+\n", shown(["--version"], capsys))


def test_the_tutorial_names_the_commands_that_take_the_common_options(capsys: pytest.CaptureFixture[str]) -> None:
    tutorial = (Path(__file__).parents[2] / "docs/tutorial.md").read_text()
    match = re.search(
        r"^(`ingest`.*?) take `--json`, `--quiet`, `--config.*?except (.*?) take `--json`\.",
        tutorial,
        re.MULTILINE | re.DOTALL,
    )
    assert match
    full, none = (set(re.findall(r"`(\w+)`", part)) for part in match.groups())
    groups = {"store": "ls", "plugins": "list"}
    for command in COMMAND_ORDER:
        text = shown([command, *([groups[command]] if command in groups else []), "--help"], capsys)
        assert ("--json" in text) == (command not in none), command
        assert all(f"--{option}" in text for option in ("quiet", "config", "set")) == (command in full), command


@pytest.mark.ci_cases(5)
@pytest.mark.parametrize("command", COMMAND_ORDER)
def test_every_command_explains_itself_and_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown([command, "--help"], capsys)
    assert f"spacrd {command}" in text
    bare = [line for line in text.splitlines() if re.fullmatch(r"\W*--[a-z-]+\W*(<\w+>)?\W*", line)]
    assert bare == [], "options without a word of help"


@pytest.mark.ci_cases(5)
@pytest.mark.parametrize("page", commands(), ids=lambda page: page.short)
def test_every_bracket_of_a_help_text_is_shown(
    page: Page, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich takes an unescaped [text] of a help for a style and drops it."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 300)
    text = shown([*page.short.split(), "--help"], capsys)
    command = page.command
    written = [command.help or "", *(parameter.help or "" for parameter in command.params)]
    written += [parameter.metavar or "" for parameter in command.params]
    for bracket in re.findall(r"\[[^\]]*\]", " ".join(written)):
        assert bracket in text
