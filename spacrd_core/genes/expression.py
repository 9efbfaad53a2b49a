"""Log-normalised expression of a section, with one column per gene."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.genes.moments import Moments
from spacrd_core.genes.names import resolve_names
from spacrd_core.genes.species import Species, infer_species

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


TARGET_SUM = 1e4
MISSING = -1  # the column of a gene that a section does not measure


@dataclass(frozen=True)
class Expression:
    """A section's log-normalised expression.

    Attributes
    ----------
    values
        Spots x genes (CSR).
    totals
        The counts of every spot, over all genes.
    symbols
        Current gene symbols, without duplicates.
    gene_ids
        Ensembl ids, '' where unknown; empty if no gene has one.
    species
        The species inferred from gene names.
    """

    values: sparse.csr_matrix[Any]
    totals: NDArray[np.float32]
    symbols: tuple[str, ...]
    gene_ids: tuple[str, ...] = ()
    species: Species = field(default_factory=Species)

    @classmethod
    def from_counts(
        cls, counts: sparse.csr_matrix[Any], symbols: Sequence[str], gene_ids: Sequence[str] = ()
    ) -> Expression:
        """Return log1p of counts per 10,000; counts of genes that share a current symbol are summed.

        The logarithm gives a doubling the same weight in weak and strong genes; normalising by the spot's total removes
        differences in the amount of tissue and in sequencing depth.
        """
        species = infer_species(symbols, gene_ids)
        names, ids = resolve_names(symbols, gene_ids, human=species.may_be_human)
        unique, columns = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
        merge = sparse.csr_matrix(
            (np.ones(len(columns)), (np.arange(len(columns)), columns)), shape=(len(columns), len(unique))
        )
        summed = sparse.csr_matrix(counts @ merge, dtype=np.float32)
        totals = np.asarray(summed.sum(axis=1)).ravel()
        scaled = sparse.diags_array(TARGET_SUM / np.maximum(totals, 1.0)) @ summed
        values = sparse.csr_matrix(scaled.log1p(), dtype=np.float32)
        return cls(values, totals, tuple(unique.tolist()), _first_ids(names, ids, unique.tolist()), species)

    def select_spots(self, mask: NDArray[np.bool_]) -> Expression:
        """Return the expression of the spots in a mask."""
        selected = replace(self, values=self.values[np.flatnonzero(mask)], totals=self.totals[mask])
        vars(selected)["_columns"] = self._columns  # the genes are the same
        return selected

    def columns_of(self, names: Sequence[str]) -> NDArray[np.intp]:
        """Return the column of each gene, given by symbol or Ensembl id; -1 if the section does not measure it."""
        columns = self._columns.reindex(pd.Index(names, dtype=object), fill_value=MISSING)
        return np.array(columns, dtype=np.intp)  # a copy: pandas 3 gives a read-only view

    @cached_property
    def moments(self) -> Moments:
        """The mean and the mean square of every gene."""
        return Moments.of(self.values)

    @cached_property
    def _columns(self) -> pd.Series[int]:
        """The column of every symbol and Ensembl id; symbols take precedence, and the last of equal ids."""
        names = pd.Index([*self.gene_ids, *self.symbols], dtype=object)
        columns = np.concatenate([np.arange(len(self.gene_ids)), np.arange(len(self.symbols))])
        unique = ~names.duplicated(keep="last") & (names != "")
        return pd.Series(columns[unique], index=names[unique])


def renormalise(values: sparse.csr_matrix[Any]) -> sparse.csr_matrix[Any]:
    """Return log-normalised expression of some genes as if no other gene had been counted."""
    relative = values.astype(np.float64).expm1()
    totals = np.asarray(relative.sum(axis=1)).ravel()
    scaled = sparse.diags_array(TARGET_SUM / np.where(totals > 0, totals, 1.0)) @ relative
    return sparse.csr_matrix(scaled.log1p(), dtype=np.float32)


def _first_ids(names: Sequence[str], ids: Sequence[str], symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the first known Ensembl id of each symbol."""
    first = {name: gene_id for name, gene_id in zip(reversed(names), reversed(ids), strict=True) if gene_id}
    return tuple(first.get(symbol, "") for symbol in symbols)
