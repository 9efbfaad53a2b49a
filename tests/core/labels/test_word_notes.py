from pathlib import Path

import pandas as pd

from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.labels.word_notes import word_notes

FILE = Path("folder/labels.csv")


def notes(counts: dict[str, int], vocabulary: Vocabulary | None = None, unit: str = "") -> tuple[str, ...]:
    vocabulary = vocabulary or Vocabulary()
    values = pd.Series([text for text, count in counts.items() for _ in range(count)], dtype="category")
    return word_notes(values, vocabulary.classify(values, FILE), vocabulary, FILE, unit=unit)


def test_every_word_is_stated_with_its_meaning_and_count() -> None:
    counts = {"DCIS": 20, "IDC": 60, "stroma": 100, "": 10, "NA": 6, "undetermined": 1}
    assert notes(counts) == (
        (
            "labels of labels.csv: cancer 80 (IDC 60, DCIS 20), normal 100 (stroma 100), "
            "unknown 17 (blank 16, undetermined 1)"
        ),
    )


def test_a_meaning_without_a_word_is_stated_as_well() -> None:
    assert notes({"Tumor": 2}, unit="polygons") == (
        "labels of labels.csv (polygons): cancer 2 (Tumor 2), normal 0, unknown 0",
    )


def test_a_word_for_cancer_that_was_not_given_is_unknown_with_a_note() -> None:
    first, second = notes({"IDC": 3, "DCIS": 5, "stroma": 2}, Vocabulary(positive=("IDC",)))
    assert first == "labels of labels.csv: cancer 3 (IDC 3), normal 2 (stroma 2), unknown 5 (DCIS 5)"
    assert second.startswith("labels.csv: 'DCIS' usually means cancer but is not in --positive")
    assert len(notes({"IDC": 3, "DCIS": 5}, Vocabulary(positive=("IDC",), ignore=("dcis",)))) == 1


def test_a_text_that_contains_a_word_for_cancer_is_normal_with_a_note() -> None:
    counts = {"IDC": 3, "DCIS, high grade": 5, "non-tumor": 1, "necrosis": 1}
    first, second = notes(counts, Vocabulary(positive=("IDC",)))
    assert "normal 7 (DCIS, high grade 5, necrosis 1, non-tumor 1)" in first
    assert second.startswith("labels.csv: 'DCIS, high grade' counts as normal although it contains a word for cancer")


def test_one_and_true_may_be_normal_beside_another_number() -> None:
    assert notes({"0": 2, "1": 3, "2": 4}, Vocabulary(positive=("2",))) == (
        "labels of labels.csv: cancer 4 (2 4), normal 5 (1 3, 0 2), unknown 0",
    )


def test_a_long_list_of_words_is_abbreviated() -> None:
    (note,) = notes({f"cluster {n}": 1 for n in range(30)} | {"Tumor": 1}, Vocabulary(positive=("Tumor",)))
    assert "normal 30 (" in note
    assert "10 more texts), unknown 0" in note
