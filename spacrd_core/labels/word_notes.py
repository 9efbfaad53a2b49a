"""Notes that state how the words of a label file were understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.labels.vocabulary import MAX_LISTED, NORMAL_WORDS, fold, is_blank, means_cancer, mentions_cancer
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.labels.vocabulary import Vocabulary

MEANINGS = ("cancer", "normal", "unknown")


def word_notes(
    values: pd.Series[str], meanings: pd.Series[str], vocabulary: Vocabulary, path: Path, *, unit: str = ""
) -> tuple[str, ...]:
    """Return the meaning of every label text with its count, and a note on words for cancer that do not mean it here.

    ``unit`` names what was counted if it is not the rows of the file.
    """
    counts = _counts(values, meanings)
    summary = ", ".join(_summary(meaning, counts[counts["meaning"] == meaning]) for meaning in MEANINGS)
    first = f"labels of {path.name}{f' ({unit})' if unit else ''}: {summary}"
    return (first, *_cancer_notes(counts, vocabulary, path))


def _counts(values: pd.Series[str], meanings: pd.Series[str]) -> pd.DataFrame:
    """Return a row per text and its meaning, most frequent first; all blank texts are one."""
    codes, unique = pd.factorize(values)  # a table of bins may have eleven million rows
    first = pd.Series(codes).drop_duplicates()
    texts = pd.DataFrame(
        {
            "text": pd.Series(unique, dtype=object),
            "meaning": pd.Series(meanings.to_numpy()[first.index], index=first, dtype=object).fillna("unknown"),
            "count": np.bincount(codes, minlength=len(unique)),
        }
    )
    texts["text"] = texts["text"].mask(is_blank(texts["text"]), "blank")
    counts = texts.groupby(["text", "meaning"], as_index=False, sort=False)["count"].sum()
    return counts.sort_values(["count", "text"], ascending=[False, True])


def _summary(meaning: str, counts: pd.DataFrame) -> str:
    shown = [f"{shortened(text)} {count}" for text, count in zip(counts["text"], counts["count"], strict=True)]
    more = [f"{len(shown) - MAX_LISTED} more texts"] if len(shown) > MAX_LISTED else []
    words = f" ({', '.join([*shown[:MAX_LISTED], *more])})" if shown else ""
    return f"{meaning} {counts['count'].sum()}{words}"


def _cancer_notes(counts: pd.DataFrame, vocabulary: Vocabulary, path: Path) -> tuple[str, ...]:
    """Return notes on words for cancer that ``--positive`` does not list."""
    if not vocabulary.positive:
        return ()
    given = {fold(text) for text in (*vocabulary.positive, *vocabulary.ignore)}
    unlisted = [text for text in counts["text"] if means_cancer(text) and fold(text) not in given]
    normal_words = {fold(word) for word in NORMAL_WORDS}
    is_normal = counts["meaning"] == "normal"
    mentions = [text for text in counts["text"][is_normal] if mentions_cancer(text) and fold(text) not in normal_words]
    notes = []
    if unlisted:
        notes.append(
            f"{path.name}: {_quoted(unlisted)} usually means cancer but is not in --positive, so it counts as unknown; "
            "add it to --positive, or to --ignore if that is right"
        )
    if mentions:
        notes.append(
            f"{path.name}: {_quoted(mentions)} counts as normal although it contains a word for cancer; "
            "give it to --positive or --ignore if that is wrong"
        )
    return tuple(notes)


def _quoted(texts: list[str]) -> str:
    return ", ".join(f"'{shortened(text)}'" for text in texts[:MAX_LISTED])
