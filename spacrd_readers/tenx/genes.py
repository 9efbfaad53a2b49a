"""Which features of a 10x matrix are the genes of a section, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import ConfigError, CountsError
from spacrd_core.genes.names import ensembl_id
from spacrd_readers.tenx.blocks import GENES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CONTROLS = (  # names of features that early Xenium bundles do not set apart by a kind
    *("NegControlProbe_", "NegControlCodeword_", "antisense_", "BLANK_", "UnassignedCodeword_"),
    *("DeprecatedCodeword_", "Intergenic_Region_"),
)
DEPRECATED = "DEPRECATED_"  # probes that 10x has withdrawn


@dataclass(frozen=True, eq=False)
class Genes:
    """The genes of a matrix.

    Attributes
    ----------
    keep
        Which features they are.
    var
        A row a gene: ``symbol``, ``gene_id``; the index is the symbol, or the id where several genes share a symbol.
    notes
        What was left out or is odd.
    """

    keep: NDArray[np.bool_]
    var: pd.DataFrame
    notes: tuple[str, ...]


def choose_genes(features: pd.DataFrame, genome: str, path: Path) -> Genes:
    """Return the genes among a matrix's features; ``genome`` chooses where it has several ('' where it has one).

    Raises
    ------
    ConfigError
        If the matrix does not have the genome.
    CountsError
        If it has several and none was chosen, or no gene at all.
    """
    kinds = _kinds(features)
    keep = (kinds == GENES).to_numpy()
    if not keep.any():
        raise CountsError(f"{path} counts no genes, but {_listed(kinds)}", hint="give the matrix of gene expression")
    keep &= _of_genome(features, keep, genome, path)
    genes = features[keep]
    return Genes(keep, _named(genes), (*_left_out(kinds), *_repeated(genes)))


def _kinds(features: pd.DataFrame) -> pd.Series[str]:
    kinds = features["kind"].copy()
    said = kinds == GENES
    kinds[said & features["symbol"].str.startswith(CONTROLS)] = "control"
    kinds[said & features["id"].str.startswith(DEPRECATED)] = "deprecated probe"
    return kinds


def _of_genome(features: pd.DataFrame, keep: NDArray[np.bool_], genome: str, path: Path) -> NDArray[np.bool_]:
    genomes = sorted(set(features.loc[keep, "genome"]) - {""})
    if genome:
        if genome not in genomes:
            raise ConfigError(
                f"{path} has no genes of {genome}, but of {', '.join(genomes) or 'a genome without a name'}",
                hint="reader.genome",
            )
        return np.asarray(features["genome"] == genome)
    if len(genomes) > 1:
        raise CountsError(
            f"{path} has genes of {len(genomes)} genomes: {', '.join(genomes)}", hint="--set reader.genome=NAME"
        )
    return np.ones(len(features), dtype=bool)


def _named(genes: pd.DataFrame) -> pd.DataFrame:
    symbols, ids = (_unprefixed(genes[name], genes["genome"]) for name in ("symbol", "id"))
    names = ids.where(symbols.duplicated(keep=False), symbols)
    while names.duplicated().any():  # neither tells them apart
        places = names.groupby(names).cumcount()
        names = names.where(places == 0, names + "." + places.astype(str))
    gene_ids = [ensembl_id(text) for text in ids]
    return pd.DataFrame({"symbol": symbols.to_numpy(), "gene_id": gene_ids}, index=pd.Index(names, dtype=object))


def _unprefixed(names: pd.Series[str], genomes: pd.Series[str]) -> pd.Series[str]:
    """Return names without the genome that references of several genomes put before them."""
    prefixes = genomes + "_"
    carried = [bool(p) and n.startswith(p) for n, p in zip(names, prefixes, strict=True)]
    if not all(carried):
        return names
    return pd.Series([n.removeprefix(p) for n, p in zip(names, prefixes, strict=True)], index=names.index)


def _left_out(kinds: pd.Series[str]) -> tuple[str, ...]:
    others = kinds[kinds != GENES]
    return (f"features that are no genes, left out: {_listed(others)}",) if len(others) else ()


def _repeated(genes: pd.DataFrame) -> tuple[str, ...]:
    twice = sorted(set(genes["symbol"][genes["symbol"].duplicated()]))
    if not twice:
        return ()
    some = ", ".join(twice[:5]) + (", ..." if len(twice) > 5 else "")
    return (f"symbols that several genes share, kept apart by their ids: {len(twice)} ({some})",)


def _listed(kinds: pd.Series[str]) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in kinds.value_counts().items())
