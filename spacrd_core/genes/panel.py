"""Gene panels: choose the genes a detector reads, and align any section to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import TrainingError
from spacrd_core.genes.names import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy import sparse

    from spacrd_core.genes.expression import Expression


MISSING = -1


@dataclass(frozen=True)
class Coverage:
    """How many of a panel's ``wanted`` genes a section measures, and which are ``missing``."""

    wanted: int
    missing: tuple[str, ...]

    @property
    def measured(self) -> int:
        """How many it measures."""
        return self.wanted - len(self.missing)

    @property
    def share(self) -> float:
        """The share it measures; 0 of no genes."""
        return self.measured / self.wanted if self.wanted else 0.0


def choose_panel(sections: Sequence[Expression], size: int) -> tuple[str, ...]:
    """Return the genes that vary most within sections, among those measured in every section.

    Variance is taken within each section and averaged, so that differences between patients and batches choose nothing.
    """
    common = sorted(set.intersection(*(set(section.symbols) for section in sections)))
    if not common:
        raise TrainingError("the training sections share no gene", hint="are gene symbols and Ensembl ids mixed?")
    variance = np.zeros(len(common))
    for section in sections:
        values = section.values[:, [section.column[symbol] for symbol in common]]
        mean = np.asarray(values.mean(axis=0)).ravel()
        variance += np.asarray(values.multiply(values).mean(axis=0)).ravel() - mean**2
    chosen = np.argsort(-variance, kind="stable")[:size]
    return tuple(sorted(common[index] for index in chosen))


def panel_ids(sections: Sequence[Expression], panel: Sequence[str]) -> tuple[str, ...]:
    """Return the Ensembl id of each gene of a panel, '' where no section knows it."""
    known: dict[str, str] = {}
    for section in sections:
        for symbol, gene_id in zip(section.symbols, section.gene_ids, strict=False):
            known.setdefault(symbol, gene_id)
            known[symbol] = known[symbol] or gene_id
    return tuple(known.get(symbol, "") for symbol in panel)


def align(
    section: Expression, panel: Sequence[str], gene_ids: Sequence[str] = ()
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return a section's expression in the panel's order (spots x panel, dense), and which genes were measured."""
    values, measured = on_panel(section, panel, gene_ids)
    aligned = np.zeros((values.shape[0], len(panel)), dtype=np.float32)
    aligned[:, measured] = values.toarray()
    return aligned, measured


def on_panel(
    section: Expression, panel: Sequence[str], gene_ids: Sequence[str] = ()
) -> tuple[sparse.csr_matrix[Any], NDArray[np.bool_]]:
    """Return a section's expression of those genes of the panel that it measures, sparse, and which those are."""
    columns = _columns(section, panel, gene_ids)
    measured = columns != MISSING
    return section.values[:, columns[measured]], measured


def coverage(section: Expression, panel: Sequence[str], gene_ids: Sequence[str] = ()) -> Coverage:
    """Return how much of a panel a section measures."""
    columns = _columns(section, panel, gene_ids)
    return Coverage(len(panel), tuple(symbol for symbol, place in zip(panel, columns, strict=True) if place == MISSING))


def _columns(section: Expression, panel: Sequence[str], gene_ids: Sequence[str]) -> NDArray[np.intp]:
    """Return where a section has each gene: by its Ensembl id, or else its symbol, or else what that is called today.

    The last is for detectors of before the gene was renamed.
    """
    ids = gene_ids or [""] * len(panel)
    return np.array([_column(section, *gene) for gene in zip(panel, ids, strict=True)], dtype=np.intp)


def _column(section: Expression, symbol: str, gene_id: str) -> int:
    for name in (gene_id, symbol):
        if name in section.column:
            return section.column[name]
    return section.column.get(canonical(symbol), MISSING) if section.species.may_be_human else MISSING
