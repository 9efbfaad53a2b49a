"""Find the columns of ``var`` that hold gene symbols and Ensembl ids, by their values: their names vary.

scanpy and squidpy index genes by symbol and keep ``gene_ids``; CELLxGENE indexes by Ensembl id and keeps
``feature_name``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.genes.clean import is_ensembl_id
from spacrd_core.genes.known import count_known, describe_unknown
from spacrd_readers.anndata.file import COPY_AGAIN
from spacrd_readers.tenx.blocks import GENE_EXPRESSION, feature_table
from spacrd_readers.tenx.genes import Genes, choose_genes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_readers.anndata.file import AnnDataFile

ID_COLUMNS = ("gene_ids", "gene_id", "ensembl_id", "ensembl", "feature_id")
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "symbol", "feature_name", "gene_name", "gene_names", "name")
FEATURE_TYPE_COLUMNS = ("feature_types", "feature_type")
TENX_FEATURE_TYPES = {GENE_EXPRESSION, "Antibody Capture", "CRISPR Guide Capture", "Protein Expression", "Custom"}
MAJORITY = 0.5


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
    columns = {str(name): _as_text(var[name], index) for name in _named_columns(var)}
    ids = max([index, *columns.values()], key=_ensembl_share)
    if _ensembl_share(ids) < MAJORITY:
        ids = next((column for column in _other_columns(var, index) if _ensembl_share(column) >= MAJORITY), index)
    symbols, notes = _symbols(var, index, columns)
    genes = choose_genes(feature_table(list(ids), list(symbols), _feature_types(var)), "", path)
    return replace(genes, notes=(*notes, *genes.notes))


def _named_columns(var: pd.DataFrame) -> list[str]:
    """Return the columns that are named as ids or symbols, in order of preference."""
    names = {str(name).casefold(): name for name in reversed(var.columns)}
    return [names[name] for name in (*ID_COLUMNS, *SYMBOL_COLUMNS) if name in names]


def _symbols(
    var: pd.DataFrame, index: pd.Series[str], columns: dict[str, pd.Series[str]]
) -> tuple[pd.Series[str], tuple[str, ...]]:
    """Return the symbols: a column named so, else the index; where no gene is known, another column whose genes are."""
    named = (column for name, column in columns.items() if name.casefold() in SYMBOL_COLUMNS)
    symbols = next((column for column in named if _ensembl_share(column) < MAJORITY), index)
    if describe_unknown(symbols.tolist()):
        for column in _other_columns(var, index):
            if _ensembl_share(column) < MAJORITY and count_known(column.tolist()) >= MAJORITY * len(column):
                return column, (f"gene symbols were read from the column '{column.name}' of var, by its values",)
    return symbols, ()


def _other_columns(var: pd.DataFrame, index: pd.Series[str]) -> Iterator[pd.Series[str]]:
    """Yield the columns of text that are not named as ids or symbols."""
    for name in var.columns.difference(_named_columns(var), sort=False):
        if not pd.api.types.is_numeric_dtype(var[name]):
            yield _as_text(var[name], index)


def _as_text(values: pd.Series[str], index: pd.Series[str]) -> pd.Series[str]:
    """Return a column as text; the index fills missing entries."""
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    return texts.where(texts != "", index)


def _ensembl_share(names: pd.Series[str]) -> float:
    """Return the fraction of names that are Ensembl gene ids."""
    return sum(map(is_ensembl_id, names)) / max(1, len(names))


def _feature_types(var: pd.DataFrame) -> list[str] | str:
    """Return the 10x feature type of each row; other tools store the gene's biotype under the same column names."""
    for name in FEATURE_TYPE_COLUMNS:
        if name in var.columns and set(var[name].dropna().unique()) & TENX_FEATURE_TYPES:
            kinds = var[name].astype(object)
            return [str(kind) for kind in kinds.where(kinds.notna() & (kinds != ""), GENE_EXPRESSION)]
    return GENE_EXPRESSION
