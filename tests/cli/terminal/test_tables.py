"""Tables fit the terminal: no number and no word is broken, and what is left out is named."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from spacrd_cli.terminal.tables import Column, FittedTable, elided

COLUMNS: list[str | Column] = [
    "section",
    Column("patient", 1),
    "spots",
    Column("um/px", 2),
    Column("beyond training", 1),
]
ROWS = [["GSM4565826_patient_7_replicate_2", "HER2-0001", 1504, 0.1708, 0.0866], ["A1", "HER2-0002", 346, 3.196, None]]


def shown(table: FittedTable, width: int) -> list[str]:
    screen = io.StringIO()
    Console(file=screen, width=width, highlight=False).print(table)
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [200, 120, 80, 60, 45, 30])
def test_no_line_is_wider_than_the_terminal_and_every_row_is_one_line(width: int) -> None:
    lines = shown(FittedTable(COLUMNS, ROWS), width)
    assert max(map(cell_len, lines)) <= width
    for number in ("1504", "346"):
        assert sum(number in line.split() for line in lines) == 1


def test_with_room_everything_is_shown_on_one_line_each() -> None:
    lines = shown(FittedTable(COLUMNS, ROWS), 120)
    assert lines[1].split() == ["section", "patient", "spots", "um/px", "beyond", "training"]
    assert [line.split() for line in lines[3:5]] == [
        ["GSM4565826_patient_7_replicate_2", "HER2-0001", "1504", "0.1708", "0.0866"],
        ["A1", "HER2-0002", "346", "3.1960", "-"],
    ]
    assert not any("not shown" in line for line in lines)


def test_columns_of_the_highest_rank_are_left_out_first_and_named() -> None:
    lines = shown(FittedTable(COLUMNS, ROWS), 45)
    assert "patient" in lines[2]
    assert "um/px" not in lines[2]
    assert lines[-1] == " not shown: um/px (--wide)"


def test_an_id_loses_its_middle_and_a_line_its_end() -> None:
    lines = shown(FittedTable(["id", Column("description", line=True)], [["GSM4565826_patient_7", "word " * 30]]), 50)
    row = lines[3].split()
    assert row[0].startswith("GSM4")
    assert row[0].endswith("nt_7")
    assert row[-1].endswith("…")


def test_prose_is_wrapped_between_words() -> None:
    words = "the sections have different genes and cannot be compared"
    lines = shown(FittedTable(["id", Column("note", prose=True)], [["A1", words]]), 40)
    assert " ".join(" ".join(line.split()) for line in lines[3:]).strip() == f"A1 {words}"


def test_a_heading_of_two_words_takes_two_lines_rather_than_room() -> None:
    lines = shown(FittedTable(["section", "beyond training"], [["A1", 0.1]]), 20)
    assert [lines[1].split()[-1], lines[2].split()[-1]] == ["beyond", "training"]


@pytest.mark.parametrize(("width", "text"), [(20, "GSM4565826_patient_7"), (10, "GSM45…nt_7"), (5, "GS…_7"), (1, "…")])
def test_an_elided_text_has_the_width(width: int, text: str) -> None:
    assert elided("GSM4565826_patient_7", width) == text


@pytest.mark.parametrize("width", range(1, 20))
def test_an_elided_text_of_wide_letters_has_the_width_in_cells(width: int) -> None:
    assert cell_len(elided("患者一二三四五六七八", width)) == width


def test_an_empty_column_is_left_out_before_one_of_a_higher_rank() -> None:
    columns: list[str | Column] = ["section", Column("agreement", 1), Column("threshold", 3)]
    lines = shown(FittedTable(columns, [["A1", None, 0.51], ["B4", None, 0.49]]), 30)
    assert lines[1].split() == ["section", "threshold"]
    assert lines[-1] == " not shown: agreement (--wide)"


def test_the_numbers_of_a_column_line_up_without_digits_that_are_not_there() -> None:
    lines = shown(
        FittedTable(["id", "value"], [["A", 0.73094], ["B", 0.731], ["C", None], ["D", 11.23456], ["E", 2]]), 40
    )
    assert [line.split()[-1] for line in lines[3:8]] == ["0.7309", "0.7310", "-", "11.2346", "2.0000"]
