from pathlib import Path

import pandas as pd
import pytest

from spacrd_core.errors import ConfigError, LabelError
from spacrd_core.labels.vocabulary import CANCER_WORDS, NORMAL_WORDS, UNKNOWN_WORDS, Vocabulary, fold

FILE = Path("labels.tsv")


def classify(values: list[str], vocabulary: Vocabulary | None = None) -> list[str | None]:
    return list((vocabulary or Vocabulary()).classify(pd.Series(values, dtype=object), FILE))


def test_the_texts_of_her2st_need_no_options() -> None:
    words = ["invasive cancer", "cancer in situ", "connective tissue", "adipose tissue", "immune infiltrate"]
    assert classify([*words, "breast glands", "undetermined"]) == ["cancer"] * 2 + ["normal"] * 4 + [None]


def test_numbers_truth_and_common_words_need_no_options() -> None:
    assert classify(["1", "1.0", "TRUE", "Tumour", " Malignant "]) == ["cancer"] * 5
    assert classify(["0", "0.0", "False", "Healthy", "benign", "NORMAL"]) == ["normal"] * 6
    assert classify(["", " ", "NA", "nan", "Unlabeled", "uncertain"]) == [None] * 6


def test_the_cell_types_of_janesicks_breast_tumour_need_no_options() -> None:
    assert classify(["DCIS_1", "DCIS_2", "Invasive_Tumor", "Prolif_Invasive_Tumor"]) == ["cancer"] * 4
    others = (
        *("Stromal", "Endothelial", "Perivascular-Like", "Myoepi_ACTA2+", "Myoepi_KRT15+", "B_Cells", "CD4+_T_Cells"),
        *("CD8+_T_Cells", "Macrophages_1", "Macrophages_2", "IRF7+_DCs", "LAMP3+_DCs", "Mast_Cells"),
    )
    assert classify(list(others)) == ["normal"] * 13
    assert classify(["Stromal_&_T_Cell_Hybrid", "T_Cell_&_Tumor_Hybrid", "Unlabeled"]) == [None] * 3


def test_no_text_has_two_meanings() -> None:
    folded = [fold(word) for words in (CANCER_WORDS, NORMAL_WORDS, UNKNOWN_WORDS) for word in words]
    assert len(folded) == len(set(folded))


def test_an_unknown_text_is_refused_with_all_texts_and_the_two_options() -> None:
    with pytest.raises(
        LabelError, match=r"'necrosis' \(2\); all its labels: 'necrosis' \(2\), 'tumor' \(1\)"
    ) as caught:
        classify(["necrosis", "tumor", "necrosis"])
    assert "labels.tsv" in str(caught.value)
    assert "--positive" in caught.value.hint
    assert "--ignore" in caught.value.hint


def test_positive_texts_make_every_other_text_normal_except_ignored_and_unknown_ones() -> None:
    vocabulary = Vocabulary(positive=("DCIS_1", "invasive  Tumor"), ignore=("Hybrid",))
    values = ["dcis_1", "InvasiveTumor", "Hybrid", "Stromal", "Undetermined", "", "necrosis"]
    assert classify(values, vocabulary) == ["cancer", "cancer", None, "normal", None, None, "normal"]


def test_a_known_word_for_cancer_that_is_not_positive_is_unknown_and_never_normal() -> None:
    assert classify(["IDC", "DCIS", "Invasive_Tumor", "stroma"], Vocabulary(positive=("IDC",))) == [
        "cancer", None, None, "normal",
    ]  # fmt: skip


def test_ignored_texts_are_unknown_in_addition_to_the_known_ones() -> None:
    assert classify(["tumor", "normal", "immune infiltrate", "fold"], Vocabulary(ignore=("fold", "normal"))) == [
        "cancer", None, "normal", None,
    ]  # fmt: skip


def test_other_numbers_are_unknown_without_options() -> None:
    with pytest.raises(LabelError, match="'2'"):
        classify(["0", "1", "2", "-1"])
    assert classify(["0", "1", "2", "-1"], Vocabulary(positive=("2",), ignore=("-1",))) == [
        "normal",
        "normal",
        "cancer",
        None,
    ]


@pytest.mark.parametrize("vocabulary", [Vocabulary(positive=("tumr",)), Vocabulary(ignore=("tumr",))])
def test_an_option_text_that_does_not_occur_is_refused_with_those_that_do(vocabulary: Vocabulary) -> None:
    with pytest.raises(LabelError, match=r"no label of labels.tsv is 'tumr'; it has 'tumor' \(1\)"):
        classify(["tumor"], vocabulary)


def test_a_text_cannot_be_positive_and_ignored() -> None:
    with pytest.raises(ConfigError, match="cannot be both"):
        Vocabulary(positive=("Cancer",), ignore=("cancer",))


def test_a_long_list_of_texts_is_abbreviated() -> None:
    with pytest.raises(LabelError, match="and 80 more"):
        classify([f"cluster {number}" for number in range(100)])
