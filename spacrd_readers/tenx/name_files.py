"""The names beside a MEX matrix: barcodes and features (or genes), as pipelines and labs write them.

R writes quotes, a header and row numbers; depositions have ``.txt`` and ``.csv``, exchanged columns, and a chromosome
where 10x has the feature type. Columns are recognised by their values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError
from spacrd_core.genes.clean import genome_of, is_ensembl_id, unquote
from spacrd_core.genes.known import MIN_KNOWN_SHARE, count_known
from spacrd_core.quoting import listed
from spacrd_core.tables import MAX_CELLS, read_text, require_narrow, split_rows
from spacrd_readers._base import first_names
from spacrd_readers.tenx.blocks import GENE_EXPRESSION, feature_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    Column = list[str]

MAX_SURPLUS = 10  # times as many lines as names: blank ones, and those of another file
DELIMITERS = "\t;,"
HEADER_WORDS = {  # in small letters alone; R calls a column without a name x, or V1
    *("gene", "geneid", "geneids", "genename", "genenames", "genesymbol", "genesymbols", "genes", "symbol", "symbols"),
    *("id", "ids", "name", "names", "ensembl", "ensemblid", "ensemblgeneid", "hgnc", "hgncsymbol", "externalgenename"),
    *(
        "feature",
        "features",
        "featureid",
        "featurename",
        "featuretype",
        "type",
        "chr",
        "chromosome",
        "genome",
        "x",
        "v",
    ),
    *("x", "v", "barcode", "barcodes", "cell", "cells", "cellid", "cellbarcode", "spot", "spots", "spotid"),
}
FEATURE_TYPES = {  # of Cell Ranger, Space Ranger and Xenium Onboard Analysis
    *("gene expression", "antibody capture", "crispr guide capture", "multiplexing capture", "custom", "peaks"),
    *("protein expression", "antigen capture", "vdj", "negative control probe", "negative control codeword"),
    *("blank codeword", "unassigned codeword", "deprecated codeword", "genomic control"),
}


def read_barcodes(path: Path, count: int) -> tuple[list[str], tuple[str, ...]]:
    """Return the barcodes of a matrix, and notes; ``count`` is how many the matrix declares."""
    columns, notes = _read_columns(path, "barcodes", count)
    return columns[0], notes


def read_features(path: Path, count: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the feature table of a matrix, and notes; ``count`` is how many the matrix declares."""
    columns, notes = _read_columns(path, "features", count)
    kinds, kind_notes = _take_kinds(columns, path)
    ids = max(columns, key=_count_ensembl_ids)  # the first of equals
    others = [column for column in columns if column is not ids] or [ids]
    named = (column for column in others if count_known(column) >= MIN_KNOWN_SHARE * len(column))
    symbols = next(named, others[0])
    table = feature_table(ids, symbols, kinds, _genomes(symbols, ids))
    if ids is columns[0] or symbols is not columns[0] or table.empty:
        return table, (*notes, *kind_notes)
    exchange = f"columns of {path.name}, exchanged by their values: {symbols[0]} is the symbol of {ids[0]}"
    return table, (*notes, *kind_notes, exchange)


def _read_columns(path: Path, role: str, count: int) -> tuple[list[Column], tuple[str, ...]]:
    """Return the columns of a list of names, without header and row numbers."""
    text = read_text(path, f"list of {role}", CountsError)
    if text.count("\n") > MAX_SURPLUS * (count + 1):
        raise CountsError(
            f"the list of {role} {path} has {text.count(chr(10)):,} lines, and its matrix declares {count} {role}",
            hint="copy or download them again",
        )
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((letter for letter in DELIMITERS if letter in lines[-1]), "\t")
    # Tabs never occur in a cell, and rows quoted as a whole must be split.
    is_plain = delimiter == "\t"
    split = (
        require_narrow([line.split(delimiter, MAX_CELLS) for line in lines], path, CountsError)
        if is_plain
        else split_rows("\n".join(lines), delimiter, path, CountsError)
    )
    rows = [[unquote(cell) for cell in row] for row in split]
    notes: tuple[str, ...] = (f"quotes in {path.name}, removed",) if '"' in lines[-1] else ()
    if count == len(rows) - 1 and _is_header(rows[0]):
        notes = (*notes, f"header of {path.name}, left out: {listed(filter(None, rows[0]))}")
        rows = rows[1:]
    width = max(map(len, rows), default=1)
    columns = [[row[index] if index < len(row) else "" for row in rows] for index in range(width)]
    if len(columns) > 1 and columns[0] == [str(number) for number in range(1, len(rows) + 1)]:
        return columns[1:], notes
    return columns, notes


def _is_header(cells: Sequence[str]) -> bool:
    words = {re.sub(r"[^a-z]", "", cell.casefold()) for cell in cells}
    return bool(words & HEADER_WORDS) and not any(map(is_ensembl_id, cells))


def _take_kinds(columns: list[Column], path: Path) -> tuple[Column | str, tuple[str, ...]]:
    """Remove the column of feature types and return it; where there is none, all features are genes."""
    for column in columns[1:]:
        if {kind.casefold() for kind in column} & FEATURE_TYPES:
            columns.remove(column)
            return [GENE_EXPRESSION if kind.casefold() == GENE_EXPRESSION.casefold() else kind for kind in column], ()
    if len(columns) <= 2:
        return GENE_EXPRESSION, ()
    values = first_names(sorted(set(columns[2]))[:4], 3)
    return GENE_EXPRESSION, (f"{path.name} has no feature types ({values}): all its features are read as genes",)


def _count_ensembl_ids(column: Column) -> int:
    return sum(map(is_ensembl_id, column))


def _genomes(symbols: Column, ids: Column) -> Column | str:
    """Return the genome of each feature where names of several genomes begin with it; '' for one genome."""
    genomes = [genome_of(symbol) or genome_of(gene_id) for symbol, gene_id in zip(symbols, ids, strict=True)]
    return genomes if len(set(genomes) - {""}) > 1 else ""
