"""Understand the labels of a section that SpaCRD exported, also after a user has edited them in scanpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.vocabulary import Vocabulary, is_blank, is_known
from spacrd_core.quoting import listed, shortened

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ["cancer", "normal"]

Labelled = tuple[pd.DataFrame, tuple[str, ...]]


def understand_labels(table: pd.DataFrame, path: Path) -> Labelled:
    """Return the spots with ``label`` as cancer, normal or missing, and a note on other words that were understood.

    Raises
    ------
    LabelError
        If a word has no known meaning.
    """
    if "label" not in table.columns:
        return table, ()
    texts = table["label"].astype(object).where(table["label"].notna(), "").astype(str)
    words = texts[~is_blank(texts)]
    unknown = sorted({word for word in words.unique() if not is_known(word)})
    if unknown:
        raise LabelError(
            f"obs['label'] of {path} holds '{shortened(unknown[0])}', expected 'cancer' or 'normal'",
            hint="rename the column, and give labels with --labels FILE",
        )
    meanings = Vocabulary().classify(texts, path)
    labelled = table.assign(label=pd.Categorical(meanings, categories=LABELS))
    if set(words) <= set(LABELS):
        return _with_source(labelled, texts, path), ()
    return _with_source(labelled.assign(annotation=texts), texts, path), (_words_note(words, meanings, path),)


def _with_source(table: pd.DataFrame, texts: pd.Series[str], path: Path) -> pd.DataFrame:
    """Return labels with the columns that all labels have: a user who adds ``label`` adds no others."""
    if table["label"].isna().all():
        return table
    others = {"annotation": texts, "label_contested": False, "label_source": path.name}
    return table.assign(**{name: value for name, value in others.items() if name not in table.columns})


def _words_note(words: pd.Series[str], meanings: pd.Series[str], path: Path) -> str:
    read_as = meanings[words.index].fillna("unlabelled")
    counts = pd.DataFrame({"word": words, "meaning": read_as}).value_counts().items()
    words_read = listed(f"'{shortened(word)}' as {meaning} ({count})" for (word, meaning), count in counts)
    return f"obs['label'] of {path.name} was read as: {words_read}"
