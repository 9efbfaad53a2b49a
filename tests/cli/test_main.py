"""The entry point: the message and the exit code of every kind of error."""

import subprocess
import sys

import pytest
import typer

from spacrd_cli import main
from spacrd_cli.app import app
from spacrd_cli.interruption import INTERRUPTED
from spacrd_cli.terminal.errors import describe_error
from spacrd_core.errors import InputError, MissingFile, SpacrdError
from spacrd_core.quoting import printable

WARNING_COMMAND = """
import warnings
from spacrd_cli import main as entry
entry.run = lambda *_: warnings.warn("of a library") or 0
entry.main()
"""


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``spacrd push`` raise an error."""

    def command(detector: str, repository: str) -> None:
        raise error

    command.__name__ = "push"
    command_of = {info.callback.__name__: info for info in app.registered_commands if info.callback}
    monkeypatch.setattr(command_of["push"], "callback", command)


def test_an_error_is_a_sentence_and_its_remedy_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, MissingFile("the counts file x.tsv does not exist", hint="check the path"))
    assert main.run(["push", "a", "b"]) == 1
    assert capsys.readouterr() == ("", "error: the counts file x.tsv does not exist\nhint: check the path\n")


def test_the_errors_of_a_group_are_listed_one_per_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons = [InputError("st: no spots", hint="--reader st"), InputError("visium: no outs", hint="--reader st")]
    failing(monkeypatch, ExceptionGroup("no reader recognises x", [ExceptionGroup("inner", reasons)]))
    assert main.run(["push", "a", "b"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: no reader recognises x",
        "  - st: no spots",
        "  - visium: no outs",
        "hint: --reader st",
    ]


def test_a_group_that_holds_a_bug_is_a_bug() -> None:
    text, code = describe_error(ExceptionGroup("many", [InputError("st: no spots"), ZeroDivisionError("x")]))
    assert code == 1
    assert "bug" in text


def test_notes_on_an_error_are_shown() -> None:
    error = SpacrdError("X cannot be read")
    error.add_note("in section A1")
    assert describe_error(error)[0].splitlines() == ["error: X cannot be read", "  in section A1"]


@pytest.mark.parametrize("arguments", [["push", "a"], ["nonsense"], ["plugins", "--nonsense"], ["push", "a", "b", "c"]])
def test_wrong_usage_exits_2_and_names_the_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: spacrd")
    assert hint.endswith("--help")


def test_an_interrupt_exits_130_and_says_how_to_resume(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert main.run(["push", "a", "b"]) == 130
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_an_interrupt_before_the_command_runs_is_one_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("spacrd_cli.app.app", interrupted)
    assert main.run(["push", "a", "b"]) == 130
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_a_question_left_unanswered_stops_without_a_traceback() -> None:
    assert describe_error(typer.Abort()) == ("stopped", 1)


def test_anything_else_is_called_a_bug_and_the_traceback_is_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    assert main.run(["push", "a", "b"]) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in shown
    assert "this is a bug" in shown
    assert "--debug" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("arguments", [["--debug", "push", "a", "b"], ["push", "a", "--debug", "b"]])
def test_debug_anywhere_on_the_line_shows_the_traceback_and_the_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, SpacrdError("no such thing"))
    assert main.run(arguments) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("error: no such thing\n")


def test_a_file_named_debug_can_be_given_after_two_dashes() -> None:
    assert main.take_debug(["push", "--", "--debug"]) == (["push", "--", "--debug"], False)


def test_an_operating_system_error_is_not_a_bug() -> None:
    text, code = describe_error(PermissionError(13, "Permission denied", "store/spacrd.json"))
    assert code == 1
    assert text.startswith("error: operating system error: ")
    assert text.endswith("Permission denied: store/spacrd.json")


def test_control_characters_never_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb") == "a\N{REPLACEMENT CHARACTER}[2Jb"
    assert printable("a\x9b2J\u202eb") == "a\N{REPLACEMENT CHARACTER}2J\N{REPLACEMENT CHARACTER}b"
    assert printable("S1\nhint: rm -rf /\tb\u2028c") == "S1 hint: rm -rf / b c"


def test_main_leaves_with_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["spacrd", "nonsense"])
    monkeypatch.setattr(main, "_silence_libraries", lambda: None)  # it would silence later tests
    with pytest.raises(SystemExit, match="2"):
        main.main()


@pytest.mark.parametrize(
    ("python", "options", "shown"), [([], ["-q"], False), ([], ["--debug"], True), (["-W", "default"], ["-q"], True)]
)
def test_warnings_of_libraries_are_shown_only_if_asked_for(
    python: list[str], options: list[str], *, shown: bool
) -> None:
    done = subprocess.run(
        [sys.executable, *python, "-c", WARNING_COMMAND, "store", "ls", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("of a library" in done.stderr) == shown
