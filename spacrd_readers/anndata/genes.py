"""Find the columns of ``var`` that hold gene symbols and Ensembl ids, by their values: their names vary.

scanpy and squidpy index genes by symbol and keep ``gene_ids``; CELLxGENE indexes by Ensembl id and keeps
``feature_name``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.genes.names import parse_ensembl_id
from spacrd_readers.anndata.file import COPY_AGAIN
from spacrd_readers.tenx.blocks import GENE_EXPRESSION, feature_table
from spacrd_readers.tenx.genes import Genes, choose_genes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_readers.anndata.file import AnnDataFile

ID_COLUMNS = ("gene_ids", "gene_id", "ensembl_id", "ensembl", "feature_id")
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "symbol", "feature_name", "gene_name", "gene_names", "name")
FEATURE_TYPE_COLUMNS = ("feature_types", "feature_type")
TENX_FEATURE_TYPES = {GENE_EXPRESSION, "Antibody Capture", "CRISPR Guide Capture", "Protein Expression", "Custom"}


def read_features(file: AnnDataFile, matrix: str, columns: int) -> pd.DataFrame:
    """Return the features that the columns of a matrix count.

    Raises
    ------
    InputError
        If their number differs from ``columns``.
    """
    key = "raw/var" if matrix == "raw/X" else "var"
    var = file.table(key)
    if len(var) != columns:
        raise InputError(f"{matrix} of {file.path} counts {columns} genes, {key} names {len(var)}", hint=COPY_AGAIN)
    return var


def read_genes(var: pd.DataFrame, path: Path) -> Genes:
    """Return the genes of a feature table, and notes on what was left out.

    Raises
    ------
    CountsError
        If no feature is a gene.
    """
    index = var.index.to_series()
    columns = {name: _as_text(var[name], index) for name in (*ID_COLUMNS, *SYMBOL_COLUMNS) if name in var.columns}
    ids = max([index, *columns.values()], key=_ensembl_share)
    if _ensembl_share(ids) < 0.5:
        ids = index
    named_symbols = (
        columns[name] for name in SYMBOL_COLUMNS if name in columns and _ensembl_share(columns[name]) < 0.5
    )
    symbols = next(named_symbols, index)
    return choose_genes(feature_table(list(ids), list(symbols), _feature_types(var)), "", path)


def _as_text(values: pd.Series[str], index: pd.Series[str]) -> pd.Series[str]:
    """Return a column as text; the index fills missing entries."""
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    return texts.where(texts != "", index)


def _ensembl_share(names: pd.Series[str]) -> float:
    """Return the fraction of names that are Ensembl gene ids."""
    return sum(bool(parse_ensembl_id(name)) for name in names) / max(1, len(names))


def _feature_types(var: pd.DataFrame) -> list[str] | str:
    """Return the 10x feature type of each row; other tools store the gene's biotype under the same column names."""
    for name in FEATURE_TYPE_COLUMNS:
        if name in var.columns and set(var[name].dropna().unique()) & TENX_FEATURE_TYPES:
            kinds = var[name].astype(object)
            return [str(kind) for kind in kinds.where(kinds.notna() & (kinds != ""), GENE_EXPRESSION)]
    return GENE_EXPRESSION
