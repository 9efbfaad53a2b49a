"""Select and name the genes among the features of a 10x matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import ConfigError, CountsError
from spacrd_core.genes.clean import CleanNames, clean_names
from spacrd_core.quoting import listed, shortened
from spacrd_readers._base import first_names
from spacrd_readers.tenx.blocks import GENE_EXPRESSION

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

CONTROL_PREFIXES = (  # of symbols; tables of cells do not always give controls a feature type of their own
    *("NegControlProbe_", "NegControlCodeword_", "antisense_", "BLANK_", "UnassignedCodeword_"),
    *("DeprecatedCodeword_", "Intergenic_Region_"),
    *("Blank-", "NegPrb", "Negative_", "SystemControl", "FalseCode"),  # of MERSCOPE and CosMx
)
DEPRECATED_PREFIX = "DEPRECATED_"  # of the ids of probes that 10x has withdrawn


@dataclass(frozen=True, eq=False)
class Genes:
    """The genes of a matrix.

    Attributes
    ----------
    keep
        A mask of the features that are genes.
    var
        One row per gene: ``symbol``, ``gene_id``; the index is the symbol, or the id if several genes share a symbol.
    notes
        What was left out or is unusual.
    """

    keep: NDArray[np.bool_]
    var: pd.DataFrame
    notes: tuple[str, ...]


def choose_genes(features: pd.DataFrame, genome: str, path: Path) -> Genes:
    """Return the genes among a matrix's features; ``genome`` selects one of several ('' for the only one).

    Raises
    ------
    ConfigError
        If the matrix does not have the genome.
    CountsError
        If it has several genomes and none is selected, or no genes.
    """
    kinds = _feature_kinds(features)
    keep = (kinds == GENE_EXPRESSION).to_numpy()
    if not keep.any():
        raise CountsError(f"{path} counts no genes, only {_listed(kinds)}", hint="give the gene expression matrix")
    keep = keep & _of_genome(features, keep, genome, path)  # pandas 3 gives read-only arrays
    genes = features[keep]
    symbols, ids = (_unprefixed(genes[name], genes["genome"]).tolist() for name in ("symbol", "id"))
    names = clean_names(symbols, ids)
    return Genes(keep, _named(names), (*_left_out(kinds), *names.notes, *_repeated(names.symbols)))


def genes_of(matrix: TenxMatrix, genome: str) -> Genes:
    """Return the genes of an open matrix, with the notes on how its names were read; see :func:`choose_genes`."""
    genes = choose_genes(matrix.features, genome, matrix.path)
    return replace(genes, notes=(*matrix.notes, *genes.notes))


def _feature_kinds(features: pd.DataFrame) -> pd.Series[str]:
    kinds = features["kind"].copy()
    is_gene = kinds == GENE_EXPRESSION
    kinds[is_gene & features["symbol"].str.startswith(CONTROL_PREFIXES)] = "control"
    kinds[is_gene & features["id"].str.startswith(DEPRECATED_PREFIX)] = "deprecated probe"
    return kinds


def _of_genome(features: pd.DataFrame, keep: NDArray[np.bool_], genome: str, path: Path) -> NDArray[np.bool_]:
    genomes = sorted(set(features.loc[keep, "genome"]) - {""})
    if genome:
        if genome not in genomes:
            raise ConfigError(
                f"{path} has no genes of {genome}; its genomes: {listed(genomes) or 'one without a name'}",
                hint="change reader.genome",
            )
        return np.asarray(features["genome"] == genome)
    if len(genomes) > 1:
        raise CountsError(
            f"{path} has genes of {len(genomes)} genomes: {listed(genomes)}", hint="use --set reader.genome=NAME"
        )
    return np.ones(len(features), dtype=bool)


def _named(genes: CleanNames) -> pd.DataFrame:
    symbols, ids = (pd.Series(texts, dtype=object) for texts in (genes.symbols, genes.ids))
    names = ids.where(symbols.duplicated(keep=False), symbols)
    while names.duplicated().any():  # neither symbol nor id is unique: number them
        numbers = names.groupby(names).cumcount()
        names = names.where(numbers == 0, names + "." + numbers.astype(str))
    return pd.DataFrame({"symbol": genes.symbols, "gene_id": genes.gene_ids}, index=pd.Index(names, dtype=object))


def _unprefixed(names: pd.Series[str], genomes: pd.Series[str]) -> pd.Series[str]:
    """Return names without the genome prefix that references of several genomes add."""
    prefixes = genomes + "_"
    prefixed = [p != "_" and n.startswith(p) for n, p in zip(names, prefixes, strict=True)]
    if not all(prefixed):
        return names
    return pd.Series([n.removeprefix(p).lstrip("_") for n, p in zip(names, prefixes, strict=True)], index=names.index)


def _left_out(kinds: pd.Series[str]) -> tuple[str, ...]:
    others = kinds[kinds != GENE_EXPRESSION]
    return (f"features that are not genes, left out: {_listed(others)}",) if len(others) else ()


def _repeated(symbols: list[str]) -> tuple[str, ...]:
    shared = sorted(symbol for symbol, count in Counter(symbols).items() if count > 1)
    if not shared:
        return ()
    return (f"symbols shared by several genes, which are named by their ids: {len(shared)} ({first_names(shared)})",)


def _listed(kinds: pd.Series[str]) -> str:
    return listed(f"{shortened(kind)} ({count})" for kind, count in kinds.value_counts().items())
