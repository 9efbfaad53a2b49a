"""The meaning of label texts: cancer, normal or unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import ConfigError, LabelError
from spacrd_core.quoting import shortened

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
    "normal", "healthy", "benign", "non", "non-cancer", "noncancer", "non-tumor", "nontumor", "non-tumour", "nontumour",
    "non-malignant", "nonmalignant", "0", "false",
    "normal tissue", "normal epithelium", "normal glands", "stroma", "adipose", "fat", "immune", "immune cells",
    "lymphocytes",
)  # fmt: skip
BLANK_WORDS = ("", "na", "nan", "n/a", "none", "null", "<na>")
UNKNOWN_WORDS = (
    *BLANK_WORDS, "undetermined", "unknown", "uncertain", "unlabelled", "unlabeled", "unassigned", "unannotated",
    "Stromal_&_T_Cell_Hybrid", "T_Cell_&_Tumor_Hybrid",  # Janesick et al. 2023
    "No regions drawn",  # the warning that SpaCRD's own GeoJSON has instead of regions
    "ignore*", "artefact", "artifact",  # QuPath's class for regions to ignore, and artefacts
)  # fmt: skip
MAX_LISTED = 20


@dataclass(frozen=True)
class Vocabulary:
    """The label texts for cancer (``positive``) and for unknown (``ignore``); case and spaces are ignored.

    Without ``positive``, the known texts are used and any other text is an error. With it, every text is normal that
    is not positive, ignored, blank or a known text for unknown; a known text for cancer that is not positive is
    unknown, because cancer labelled as normal harms training more than a spot that is left out.
    """

    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        both = sorted(_folded(self.positive) & _folded(self.ignore))
        if both:
            raise ConfigError(
                f"'{shortened(both[0])}' cannot be both cancer and unknown",
                hint="give it to either --positive or --ignore",
            )

    def classify(self, values: pd.Series[str], path: Path) -> pd.Series[str]:
        """Return ``cancer``, ``normal`` or None for every text of the label file ``path``.

        Raises
        ------
        LabelError
            If a text is unknown, or a text given by the user does not occur; the message lists the texts of the file.
        """
        codes, unique = pd.factorize(values)  # each distinct text is folded once, not once per row
        texts = [fold(text) for text in unique]
        meanings = self._meanings(set(texts))
        absent = [text for text in (*self.positive, *self.ignore) if fold(text) not in texts]
        if absent:
            raise LabelError(
                f"no label of {path} is '{shortened(absent[0])}'; it has {_listed(values)}", hint="check the spelling"
            )
        unknown = values[np.array([text not in meanings for text in texts], dtype=bool)[codes]]
        if len(unknown):
            raise LabelError(
                f"{path} has labels of unknown meaning: {_listed(unknown)}; all its labels: {_listed(values)}",
                hint="--positive TEXT for cancer (other texts are then normal), --ignore TEXT for unknown",
            )
        by_text = np.array([meanings[text] for text in texts], dtype=object)
        return pd.Series(by_text[codes], index=values.index, dtype=object)

    def _meanings(self, texts: set[str]) -> dict[str, str | None]:
        """Return the meaning of every known text; later entries take precedence."""
        normal = texts if self.positive else _folded(NORMAL_WORDS)
        cancer = set() if self.positive else _folded(CANCER_WORDS)
        return {
            **dict.fromkeys(normal, "normal"),
            **(dict.fromkeys(_unlisted_cancer_words()) if self.positive else {}),
            **dict.fromkeys(cancer, "cancer"),
            **dict.fromkeys(_folded(UNKNOWN_WORDS)),
            **dict.fromkeys(_folded(self.positive), "cancer"),
            **dict.fromkeys(_folded(self.ignore)),
        }


def means_cancer(text: str) -> bool:
    """Return whether a text is a known word for cancer; ``1`` and ``true`` are only that beside ``0`` and ``false``."""
    return fold(text) in _unlisted_cancer_words()


def mentions_cancer(text: str) -> bool:
    """Return whether a text contains a known word for cancer, as in ``DCIS, high grade``."""
    return any(word in _unlisted_cancer_words() for word in re.findall(r"[a-z]+", text.casefold()))


def fold(text: str) -> str:
    """Return a label text in lower case without spaces; whole numbers lose their decimals (``1.0`` becomes ``1``)."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", "".join(text.split()).casefold())


def is_known(text: str) -> bool:
    """Return whether a text has a known meaning without options."""
    return fold(text) in _known()


def is_blank(values: pd.Series[str]) -> NDArray[np.bool_]:
    """Return the mask of blank texts."""
    codes, unique = pd.factorize(values)
    blank: NDArray[np.bool_] = np.array([fold(text) in BLANK_WORDS for text in unique], dtype=bool)[codes]
    return blank


@cache
def _unlisted_cancer_words() -> frozenset[str]:
    return frozenset(_folded(CANCER_WORDS) - {"1", "true"})


@cache
def _known() -> frozenset[str]:
    return frozenset(_folded((*CANCER_WORDS, *NORMAL_WORDS, *UNKNOWN_WORDS)))


def _folded(words: Iterable[str]) -> set[str]:
    return {fold(word) for word in words}


def _listed(values: pd.Series[str]) -> str:
    counts = values.astype(object).value_counts()
    shown = ", ".join(f"'{shortened(text)}' ({count})" for text, count in counts.head(MAX_LISTED).items())
    return shown if len(counts) <= MAX_LISTED else f"{shown} and {len(counts) - MAX_LISTED} more"
