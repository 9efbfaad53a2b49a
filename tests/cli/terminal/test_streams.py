"""Stdout has the results of a command alone; everything that is printed meanwhile goes to stderr."""

import io
import json
import sys

import pytest
import typer

from spacrd_cli.app import app
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.streams import reserve_stdout, results
from spacrd_cli.terminal.tables import FittedTable


def made_app(*, fails: bool) -> typer.Typer:
    made, group = typer.Typer(), typer.Typer()

    @made.callback()
    def root() -> None:
        """Do nothing."""

    @group.command()
    def chatty() -> None:
        """Print between results."""
        print("chatter")  # noqa: T201 - as a plugin may
        Output(json=True).result({"a": 1})
        Output().result({}, "text", FittedTable(["b"], [[2]]))
        if fails:
            raise ValueError

    made.add_typer(group, name="inner")
    reserve_stdout(made)
    return made


@pytest.mark.parametrize("fails", [True, False])
def test_what_is_printed_while_a_command_runs_goes_to_stderr(fails: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    before = sys.stdout
    try:
        made_app(fails=fails)(["inner", "chatty"], standalone_mode=False)
    except ValueError:
        assert fails
    assert sys.stdout is before
    assert results() is before
    shown = capsys.readouterr()
    assert shown.err == "chatter\n"
    assert shown.out.splitlines()[:3] == ["{", '  "a": 1', "}"]
    assert {"text", "b", "2"} <= set(shown.out.split())


def test_every_command_keeps_stdout_for_its_results_and_prints_its_help_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = [*app.registered_commands]
    for group in app.registered_groups:
        assert group.typer_instance
        commands += group.typer_instance.registered_commands
    assert len(commands) > 20
    assert all(hasattr(command.callback, "__wrapped__") for command in commands)
    app(["store", "ls", "--help"], standalone_mode=False)
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_that_stdout_cannot_show_are_written_by_their_numbers(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    Output(json=True).result({"patient": "P中"})
    Output().result({}, "P中")
    sys.stdout.flush()
    document, _, text = written.getvalue().decode(encoding).partition("}")
    assert json.loads(f"{document}}}") == {"patient": "P中"}
    assert text.strip() == ("P中" if encoding == "utf-8" else r"P\u4e2d")
