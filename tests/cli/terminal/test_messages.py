"""Notes and warnings about sections: what several share is said once, and all are counted."""

import pytest

from spacrd_cli.terminal.messages import grouped, report
from spacrd_cli.terminal.output import Output

LEFT_OUT = "positions left out: {} ({})"


def test_the_same_sentence_is_said_once_for_all_sections() -> None:
    assert grouped([(name, "the image has no background") for name in ("A1", "B4")]) == [
        "2 sections (A1, B4): the image has no background"
    ]


def test_sentences_that_differ_in_numbers_files_and_names_are_one_with_an_example() -> None:
    sentences = [
        ("A1", "A1.csv: 5 of 346 spots have no label (0 without a row)"),
        ("B4", "labels-of-B4.csv: 107 of 283 spots have no label (88 without a row)"),
        ("C", "section C is of another species"),
        ("D", "section D is of another species"),
    ]
    assert grouped(sentences) == [
        "2 sections (A1, B4), such as A1: A1.csv: 5 of 346 spots have no label (0 without a row)",
        "2 sections (C, D), such as C: section C is of another species",
    ]


def test_other_sentences_stay_apart_and_in_their_order() -> None:
    assert grouped([("A1", "one"), ("B4", "two"), ("A1", "three")]) == ["A1: one", "B4: two", "A1: three"]


def test_sentences_of_one_kind_about_one_section_stand_together() -> None:
    assert grouped([("A1", "a.csv has 2 rows"), ("A1", "b.csv has 3 rows")]) == [
        "A1: a.csv has 2 rows; b.csv has 3 rows"
    ]


def test_of_many_sections_ten_are_named() -> None:
    (sentence,) = grouped([(f"S{number}", "no image") for number in range(12)])
    assert sentence.startswith("12 sections (S0, S1, ")
    assert sentence.endswith(" and 2 more): no image")


def test_warnings_come_last_and_both_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report(Output(), [("A1", "one"), ("A1", "two")], [("A1", "three")], more="spacrd store show store ID")
    assert capsys.readouterr().err.splitlines() == [
        "note: A1: one",
        "note: A1: two",
        "warning: A1: three",
        "1 warning and 2 notes; spacrd store show store ID shows those of one section",
    ]


def test_a_single_note_is_not_counted_and_none_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    report(Output(), [("A1", "one")], [])
    report(Output(), [], [])
    assert capsys.readouterr().err == "note: A1: one\n"
