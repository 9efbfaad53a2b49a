"""What the words of a label table mean: cancer, normal or unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import ConfigError, LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

CANCER_WORDS = (
    "invasive cancer", "cancer in situ",  # her2st
    "DCIS_1", "DCIS_2", "Invasive_Tumor", "Prolif_Invasive_Tumor",  # Janesick et al. 2023, cells of a breast tumour
    "cancer", "cancerous", "tumor", "tumour", "malignant", "carcinoma", "adenocarcinoma", "1", "true",
    "tumor cells", "tumour cells", "cancer cells", "invasive tumor", "invasive tumour", "invasive carcinoma",
    "carcinoma in situ", "DCIS", "IDC", "ILC", "ductal carcinoma in situ", "invasive ductal carcinoma",
    "invasive lobular carcinoma",
)  # fmt: skip
NORMAL_WORDS = (
    "connective tissue", "adipose tissue", "immune infiltrate", "breast glands",  # her2st
    "Stromal", "Endothelial", "Perivascular-Like", "Myoepi_ACTA2+", "Myoepi_KRT15+", "B_Cells", "CD4+_T_Cells",
    "CD8+_T_Cells", "Macrophages_1", "Macrophages_2", "IRF7+_DCs", "LAMP3+_DCs", "Mast_Cells",  # Janesick et al. 2023
    "normal", "healthy", "benign", "non-cancer", "noncancer", "non-tumor", "nontumor", "non-tumour", "nontumour",
    "non-malignant", "nonmalignant", "0", "false",
    "normal tissue", "normal epithelium", "normal glands", "stroma", "adipose", "fat", "immune", "immune cells",
    "lymphocytes",
)  # fmt: skip
BLANK_WORDS = ("", "na", "nan", "n/a", "none", "null", "<na>")
UNKNOWN_WORDS = (
    *BLANK_WORDS, "undetermined", "unknown", "uncertain", "unlabelled", "unlabeled", "unassigned", "unannotated",
    "Stromal_&_T_Cell_Hybrid", "T_Cell_&_Tumor_Hybrid",  # Janesick et al. 2023
    "ignore*", "artefact", "artifact",  # QuPath's class for what is to be left out, and what one leaves out
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
        codes, found = pd.factorize(values)  # a label's text is folded once, not once a cell
        texts = [fold(text) for text in found]
        meanings = self._meanings(set(texts))
        absent = [given for given in (*self.positive, *self.ignore) if fold(given) not in texts]
        if absent:
            raise LabelError(
                f"no label of {path} reads '{absent[0]}'; it has {_listed(values)}", hint="check the spelling"
            )
        strange = values[np.array([text not in meanings for text in texts], dtype=bool)[codes]]
        if len(strange):
            raise LabelError(
                f"{path} has labels whose meaning is not known: {_listed(strange)}; all its labels: {_listed(values)}",
                hint="--positive TEXT for those that are cancer (the rest is then normal), --ignore TEXT for unknown",
            )
        return pd.Series(np.array([meanings[text] for text in texts], dtype=object)[codes], index=values.index)

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


def is_known(text: str) -> bool:
    """Return whether a text is one of the words whose meaning needs no option."""
    return fold(text) in _known()


def is_blank(values: pd.Series[str]) -> NDArray[np.bool_]:
    """Return which texts say nothing at all."""
    codes, found = pd.factorize(values)
    blank: NDArray[np.bool_] = np.array([fold(text) in BLANK_WORDS for text in found], dtype=bool)[codes]
    return blank


@cache
def _known() -> frozenset[str]:
    return frozenset(_folded((*CANCER_WORDS, *NORMAL_WORDS, *UNKNOWN_WORDS)))


def _folded(words: Iterable[str]) -> set[str]:
    return {fold(word) for word in words}


def _listed(values: pd.Series[str]) -> str:
    counts = values.astype(object).value_counts()
    shown = ", ".join(f"'{text}' ({count})" for text, count in counts.head(SHOWN).items())
    return shown if len(counts) <= SHOWN else f"{shown} and {len(counts) - SHOWN} more"
