"""Results go to stdout, everything else to stderr."""

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from spacrd_cli.terminal.output import Output, as_json
from spacrd_cli.terminal.progress import Bars, Lines, duration, speed
from spacrd_cli.terminal.tables import FittedTable


@dataclass(frozen=True)
class Report:
    path: Path
    auc: float


def test_json_prints_one_document_and_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).result({"spots": 346}, FittedTable(["spots"], [[346]]))
    assert json.loads(capsys.readouterr().out) == {"spots": 346}


def test_a_table_goes_to_stdout_and_is_not_cut_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 150
    Output().result({}, FittedTable(["id", "note"], [["A[1]", long], ["B", None]]))
    shown = capsys.readouterr().out
    assert long in shown
    assert "A[1]" in shown


def test_cells_read_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    Output().result({}, FittedTable(["a", "b", "c", "d"], [[0.87654321, True, ("x", "y"), ()]]))
    assert capsys.readouterr().out.split()[-5:] == ["0.8765", "yes", "x,", "y", "-"]


def test_json_holds_what_results_are_made_of() -> None:
    document = {"report": Report(Path("a/b"), float("nan")), "counts": np.arange(2), "one": np.float32(0.5)}
    assert json.loads(as_json(document)) == {"report": {"path": "a/b", "auc": None}, "counts": [0, 1], "one": 0.5}


EVIL = "\x1b[2J\x9b2J\u202e[/x][red]a[/]\nhint: b\u2028c\x7f"
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]")


def test_names_in_results_neither_control_a_terminal_nor_add_lines(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.result({}, EVIL, FittedTable([EVIL], [[EVIL]], title=EVIL))
    out.info(EVIL)
    out.warn(EVIL)
    list(Lines(out.info)([1], EVIL))
    shown = "".join(capsys.readouterr())
    assert not UNSAFE.search(shown)
    assert "[/x][red]a[/] hint: b c" in shown
    assert not [line for line in shown.splitlines() if line.startswith("hint")]


def test_json_holds_every_sign_of_a_name_and_none_that_controls_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).result({EVIL: [EVIL, "Müller \N{GRINNING FACE}"]})
    shown = capsys.readouterr().out
    assert not UNSAFE.search(shown)
    assert json.loads(shown) == {EVIL: [EVIL, "Müller \N{GRINNING FACE}"]}
    assert "Müller \N{GRINNING FACE}" in shown


def test_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).info("reading [A1]")
    assert capsys.readouterr() == ("", "reading [A1]\n")


def test_quiet_silences_info_and_progress_but_not_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.info("reading")
    out.note("one spot has no counts")
    assert list(out.track([1, 2], "embed")) == [1, 2]
    out.warn("no gene is known")
    assert capsys.readouterr() == ("", "warning: no gene is known\n")


def test_notes_and_warnings_are_told_apart_by_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.note("one spot has no counts")
    out.warn("no gene is known")
    assert capsys.readouterr().err == "note: one spot has no counts\nwarning: no gene is known\n"


def test_progress_is_plain_lines_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(Output().track(range(3), "embed A1")) == [0, 1, 2]
    shown = capsys.readouterr().err
    assert shown.startswith("embed A1: 3 in ")
    assert len(shown.splitlines()) == 1


def test_long_work_says_how_far_how_fast_and_what_remains() -> None:
    lines: list[str] = []
    list(Lines(lines.append, seconds=0.0)(range(4), "embed"))
    assert len(lines) == 5
    assert lines[0].startswith("embed: 1 of 4, ")
    assert lines[0].endswith(" left")


def test_lines_need_no_total() -> None:
    lines: list[str] = []
    list(Lines(lines.append, seconds=0.0)((x for x in [1]), "embed"))
    assert lines[0].startswith("embed: 1, ")


def test_bars_show_what_how_many_and_how_fast_and_may_nest() -> None:
    screen = io.StringIO()
    track = Bars(Console(file=screen, force_terminal=True, width=120))
    assert [[*track([1, 2], "inner [x]")] for _ in track(range(2), "outer")] == [[1, 2], [1, 2]]
    assert "outer" in screen.getvalue()
    assert "inner [x]" in screen.getvalue()
    assert "2/2" in screen.getvalue()


def test_bars_end_with_the_error_that_ended_the_work() -> None:
    track = Bars(Console(file=io.StringIO(), force_terminal=True, width=120))
    with pytest.raises(ZeroDivisionError):
        list(track((1 / x for x in (1, 0)), "divide"))
    assert list(track([1], "again")) == [1]


def test_an_inner_bar_that_failed_goes_and_leaves_room_for_the_next() -> None:
    screen = io.StringIO()
    track = Bars(Console(file=screen, force_terminal=True, width=120))
    for number in track(range(2), "outer"):
        with pytest.raises(ZeroDivisionError):
            [one / 0 for one in track([1], f"inner {number}")]
    _, _, last = screen.getvalue().rpartition("\x1b[2K")
    assert "outer" in last
    assert "inner" not in last
    assert screen.getvalue().endswith("\x1b[?25h"), "the cursor is back"


def test_lines_say_nothing_at_the_end_of_short_work_inside_other_work() -> None:
    lines: list[str] = []
    track = Lines(lines.append)
    assert [[*track([1, 2], "inner")] for _ in track(range(2), "outer")] == [[1, 2], [1, 2]]
    list(track([1], "after"))
    assert [line.partition(":")[0] for line in lines] == ["outer", "after"]


def test_lines_say_how_far_long_work_inside_other_work_is() -> None:
    lines: list[str] = []
    track = Lines(lines.append, seconds=0.0)
    for _ in track([1], "outer"):
        list(track([1], "inner"))
    assert [line.partition(" in ")[0] for line in lines if " in " in line] == ["inner: 1", "outer: 1"]


@pytest.mark.parametrize(
    ("pace", "text"), [(112.4, "112/s"), (12345.6, "12,346/s"), (2.25, "2.2/s"), (0.2, "5 s each"), (0.0, "")]
)
def test_a_speed_reads_well(pace: float, text: str) -> None:
    assert speed(pace) == text


@pytest.mark.parametrize(("seconds", "text"), [(3.14, "3.1 s"), (90, "1 min 30 s"), (7300, "2 h 1 min")])
def test_a_duration_reads_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
