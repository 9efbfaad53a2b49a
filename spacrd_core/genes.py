"""Gene panels: choose the genes a detector reads, and align any section's counts to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET_SUM = 1e4
ENSEMBL = re.compile(r"(ENS[A-Z]*G\d{11})(\.\d+)?")


def ensembl_id(text: str) -> str:
    """Return the Ensembl gene id a text is, without its version; '' when it is none."""
    found = ENSEMBL.fullmatch(text)
    return found[1] if found else ""


@dataclass(frozen=True)
class Expression:
    """A section's log-normalised expression: ``values`` spots x genes (CSR), and the genes' symbols, each once."""

    values: sparse.csr_matrix[Any]
    symbols: tuple[str, ...]

    @classmethod
    def of_counts(cls, counts: sparse.csr_matrix[Any], symbols: Sequence[str]) -> Expression:
        """Return log1p of counts per 10,000; genes of one symbol are summed.

        The logarithm makes a doubling weigh the same in weak and strong genes; normalising by the spot's total removes
        how much tissue and sequencing a spot got.
        """
        unique, column = np.unique(np.asarray(symbols, dtype=object).astype(str), return_inverse=True)
        merge = sparse.csr_matrix(
            (np.ones(len(column)), (np.arange(len(column)), column)), shape=(len(column), len(unique))
        )
        summed = sparse.csr_matrix(counts @ merge, dtype=np.float32)
        totals = np.asarray(summed.sum(axis=1)).ravel()
        scaled = sparse.diags_array(TARGET_SUM / np.maximum(totals, 1.0)) @ summed
        return cls(sparse.csr_matrix(scaled.log1p(), dtype=np.float32), tuple(unique))


def choose_panel(sections: Sequence[Expression], size: int) -> tuple[str, ...]:
    """Return the genes that vary most within sections, among those measured in every section.

    Variance is taken within each section and averaged, so that differences between patients and batches choose nothing.
    """
    common = sorted(set.intersection(*(set(section.symbols) for section in sections)))
    if not common:
        raise TrainingError("the training sections share no gene", hint="are gene symbols and Ensembl ids mixed?")
    variance = np.zeros(len(common))
    for section in sections:
        values = section.values[:, _columns(section, common)]
        mean = np.asarray(values.mean(axis=0)).ravel()
        variance += np.asarray(values.multiply(values).mean(axis=0)).ravel() - mean**2
    chosen = np.argsort(-variance, kind="stable")[:size]
    return tuple(sorted(common[index] for index in chosen))


def align(
    section: Expression, panel: Sequence[str]
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, Any]]:
    """Return a section's expression in the panel's order (spots x panel, dense), and which genes were measured."""
    known = set(section.symbols)
    measured = np.array([symbol in known for symbol in panel])
    aligned = np.zeros((section.values.shape[0], len(panel)), dtype=np.float32)
    aligned[:, measured] = section.values[:, _columns(section, [s for s in panel if s in known])].toarray()
    return aligned, measured


def _columns(section: Expression, symbols: Sequence[str]) -> list[int]:
    position = {symbol: index for index, symbol in enumerate(section.symbols)}
    return [position[symbol] for symbol in symbols]
