"""What the words of a label table mean: cancer, normal or unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import ConfigError, LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

CANCER_WORDS = (
    "invasive cancer", "cancer in situ",  # her2st
    "cancer", "cancerous", "tumor", "tumour", "malignant", "carcinoma", "1", "true",
)  # fmt: skip
NORMAL_WORDS = (
    "connective tissue", "adipose tissue", "immune infiltrate", "breast glands",  # her2st
    "normal", "healthy", "benign", "non-cancer", "noncancer", "non-tumor", "nontumor", "non-tumour", "nontumour",
    "non-malignant", "nonmalignant", "0", "false",
)  # fmt: skip
BLANK_WORDS = ("", "na", "nan", "n/a", "none", "null", "<na>")
UNKNOWN_WORDS = (
    *BLANK_WORDS, "undetermined", "unknown", "uncertain", "unlabelled", "unlabeled", "unassigned", "unannotated",
)  # fmt: skip
SHOWN = 20


@dataclass(frozen=True)
class Vocabulary:
    """Which label texts are cancer (``positive``) and which are unknown (``ignore``); case and spaces do not matter.

    Without ``positive`` the known words decide and any other is an error. With it every text that is neither positive,
    ignored nor blank is normal.
    """

    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        both = sorted(_folded(self.positive) & _folded(self.ignore))
        if both:
            raise ConfigError(
                f"'{both[0]}' cannot be both cancer and unknown", hint="give it to --positive or to --ignore"
            )

    def classify(self, values: pd.Series[str], path: Path) -> pd.Series[str]:
        """Return ``cancer``, ``normal`` or None for every text of the label file ``path``.

        Raises
        ------
        LabelError
            If a text is not known, or one the user gave does not occur; it lists the texts of the file.
        """
        texts = values.map(fold)
        meanings = self._meanings(set(texts))
        absent = [given for given in (*self.positive, *self.ignore) if fold(given) not in set(texts)]
        if absent:
            raise LabelError(
                f"no label of {path} reads '{absent[0]}'; it has {_listed(values)}", hint="check the spelling"
            )
        strange = values[~texts.isin(meanings)]
        if len(strange):
            raise LabelError(
                f"{path} has labels whose meaning is not known: {_listed(strange)}; all its labels: {_listed(values)}",
                hint="--positive TEXT for those that are cancer (the rest is then normal), --ignore TEXT for unknown",
            )
        return texts.map(meanings).astype(object)

    def _meanings(self, texts: set[str]) -> dict[str, str | None]:
        """Return what every known text means; later entries win."""
        normal = texts if self.positive else _folded(NORMAL_WORDS)
        cancer = set() if self.positive else _folded(CANCER_WORDS)
        return {
            **dict.fromkeys(normal, "normal"),
            **dict.fromkeys(cancer, "cancer"),
            **dict.fromkeys(_folded(UNKNOWN_WORDS)),
            **dict.fromkeys(_folded(self.positive), "cancer"),
            **dict.fromkeys(_folded(self.ignore)),
        }


def fold(text: str) -> str:
    """Return a label text without case and spaces, and whole numbers without their decimals (``1.0`` is ``1``)."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", "".join(text.split()).casefold())


def is_blank(values: pd.Series[str]) -> pd.Series[bool]:
    """Return which texts say nothing at all."""
    return values.map(fold).isin(BLANK_WORDS)


def _folded(words: Iterable[str]) -> set[str]:
    return {fold(word) for word in words}


def _listed(values: pd.Series[str]) -> str:
    counts = values.value_counts()
    shown = ", ".join(f"'{text}' ({count})" for text, count in counts.head(SHOWN).items())
    return shown if len(counts) <= SHOWN else f"{shown} and {len(counts) - SHOWN} more"
