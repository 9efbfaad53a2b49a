"""Which columns of an object's ``var`` are symbols and which Ensembl ids: told by their values, for names vary.

scanpy and squidpy index genes by symbol and keep ``gene_ids``; CELLxGENE indexes by Ensembl id and keeps
``feature_name``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.genes.names import ensembl_id
from spacrd_readers.anndata.file import AGAIN
from spacrd_readers.tenx.blocks import GENES, feature_table
from spacrd_readers.tenx.genes import Genes, choose_genes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_readers.anndata.file import AnnDataFile

IDS = ("gene_ids", "gene_id", "ensembl_id", "ensembl", "feature_id")
SYMBOLS = ("gene_symbols", "gene_symbol", "symbol", "feature_name", "gene_name", "gene_names", "name")
KINDS = ("feature_types", "feature_type")
TENX = {GENES, "Antibody Capture", "CRISPR Guide Capture", "Protein Expression", "Custom"}


def read_features(file: AnnDataFile, matrix: str, columns: int) -> pd.DataFrame:
    """Return the table of what a matrix of so many columns counts.

    Raises
    ------
    InputError
        If the table is of another length.
    """
    place = "raw/var" if matrix == "raw/X" else "var"
    var = file.table(place)
    if len(var) != columns:
        raise InputError(f"{matrix} of {file.path} counts {columns} genes, {place} names {len(var)}", hint=AGAIN)
    return var


def read_genes(var: pd.DataFrame, path: Path) -> Genes:
    """Return the genes of a table of features, and what was left out.

    Raises
    ------
    CountsError
        If none of the features is a gene.
    """
    index = var.index.to_series()
    columns = {name: _texts(var[name], index) for name in (*IDS, *SYMBOLS) if name in var.columns}
    ids = max([index, *columns.values()], key=_ensembl)
    if _ensembl(ids) < 0.5:
        ids = index
    named = (columns[name] for name in SYMBOLS if name in columns and _ensembl(columns[name]) < 0.5)
    symbols = next(named, index)
    return choose_genes(feature_table(list(ids), list(symbols), _kinds(var)), "", path)


def _texts(values: pd.Series[str], index: pd.Series[str]) -> pd.Series[str]:
    """Return a column as text; genes without an entry are called by the index."""
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    return texts.where(texts != "", index)


def _ensembl(names: pd.Series[str]) -> float:
    """Return the share of names that are Ensembl gene ids."""
    return sum(bool(ensembl_id(name)) for name in names) / max(1, len(names))


def _kinds(var: pd.DataFrame) -> list[str] | str:
    """Return what kind of feature each row is; other tools keep the biotype of genes under the same names."""
    for name in KINDS:
        if name in var.columns and set(var[name].dropna().unique()) & TENX:
            kinds = var[name].astype(object)
            return [str(kind) for kind in kinds.where(kinds.notna() & (kinds != ""), GENES)]
    return GENES
