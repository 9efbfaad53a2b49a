"""Gene panels: choose the genes a detector reads, and align any section's counts to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.genes.names import identify
from spacrd_core.genes.species import Species, species_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


TARGET_SUM = 1e4


@dataclass(frozen=True)
class Expression:
    """A section's log-normalised expression.

    Attributes
    ----------
    values
        Spots x genes (CSR).
    symbols
        What the genes are called today, each once.
    gene_ids
        Their Ensembl ids, '' where not known; or nothing.
    species
        What their names say.
    """

    values: sparse.csr_matrix[Any]
    symbols: tuple[str, ...]
    gene_ids: tuple[str, ...] = ()
    species: Species = field(default_factory=Species)

    @classmethod
    def of_counts(
        cls, counts: sparse.csr_matrix[Any], symbols: Sequence[str], gene_ids: Sequence[str] = ()
    ) -> Expression:
        """Return log1p of counts per 10,000; genes of one symbol are summed, whichever of its names they go by.

        The logarithm makes a doubling weigh the same in weak and strong genes; normalising by the spot's total removes
        how much tissue and sequencing a spot got.
        """
        species = species_of(symbols, gene_ids)
        names, ids = identify(symbols, gene_ids, human=species.may_be_human)
        unique, column = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
        merge = sparse.csr_matrix(
            (np.ones(len(column)), (np.arange(len(column)), column)), shape=(len(column), len(unique))
        )
        summed = sparse.csr_matrix(counts @ merge, dtype=np.float32)
        totals = np.asarray(summed.sum(axis=1)).ravel()
        scaled = sparse.diags_array(TARGET_SUM / np.maximum(totals, 1.0)) @ summed
        values = sparse.csr_matrix(scaled.log1p(), dtype=np.float32)
        return cls(values, tuple(unique.tolist()), _first_ids(names, ids, unique.tolist()), species)

    def only(self, spots: NDArray[np.bool_]) -> Expression:
        """Return some spots' expression."""
        return replace(self, values=self.values[np.flatnonzero(spots)])

    @cached_property
    def column(self) -> dict[str, int]:
        """Where each gene is, by symbol and by Ensembl id."""
        return {name: place for names in (self.gene_ids, self.symbols) for place, name in enumerate(names) if name}


def _first_ids(names: Sequence[str], ids: Sequence[str], symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the first Ensembl id known of each symbol."""
    known = {name: gene_id for name, gene_id in zip(reversed(names), reversed(ids), strict=True) if gene_id}
    return tuple(known.get(symbol, "") for symbol in symbols)
