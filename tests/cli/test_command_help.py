"""The help of every command: it fits 80 columns, what matters comes first, and its example is one that can be given."""

import re
import shlex
from typing import Any

import pytest
import typer
from rich.cells import cell_len

from spacrd_cli.app import app
from spacrd_cli.command_help import EXAMPLES, FIRST
from spacrd_cli.main import run

ROOT = typer.main.get_command(app)


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in ROOT.commands.items():  # type: ignore[attr-defined]
        groups = {f"{name} {inner}": below for inner, below in getattr(command, "commands", {}).items()}
        found |= groups or {name: command}
    return found


def shown(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    assert run(words) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.ci_cases(8)
@pytest.mark.parametrize("name", ["", "store", "plugins", *commands()])
def test_the_help_fits_80_columns_and_names_no_type_of_a_flag(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown([*name.split(), "-h"], monkeypatch, capsys)
    assert lines == shown([*name.split(), "--help"], monkeypatch, capsys)
    assert max(map(cell_len, lines)) <= 80
    assert not re.search(r"<bool>|<boolean>", "\n".join(lines))


@pytest.mark.ci_cases(8)
@pytest.mark.parametrize("name", commands())
def test_the_help_ends_with_an_example_that_can_be_given(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"Example: {EXAMPLES[name]}" in " ".join(" ".join(shown([*name.split(), "-h"], monkeypatch, capsys)).split())
    program, *arguments = shlex.split(EXAMPLES[name])
    assert program == "spacrd"
    words = name.split()
    assert arguments[: len(words)] == words
    commands()[name].make_context(name, arguments[len(words) :])


def test_there_is_an_example_of_every_command_and_of_no_other() -> None:
    assert set(EXAMPLES) == set(commands())


@pytest.mark.parametrize("name", FIRST)
def test_the_options_that_matter_come_first(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(shown([name, "-h"], monkeypatch, capsys))
    places = [text.index(f"--{option.rstrip('_').replace('_', '-')} ") for option in FIRST[name]]
    assert places == sorted(places)
    panels = re.findall(r"─ (Main options|More options|Where it runs|Settings and output) ─", text)
    assert panels[0] == "Main options"
    assert panels[-1] == "Settings and output"
