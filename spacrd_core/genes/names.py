"""Current names of genes, from any symbol, alias or Ensembl id in a count table.

Symbols change: of the genes of an ST section of 2018, one in twenty has another symbol today (``FAM46A`` is now
``TENT5A``), and spreadsheets turn some into dates (``MARCH3`` becomes ``3-Mar``; Ziemann et al., Genome Biology 2016).
Ensembl ids are stable. A human gene is therefore named by the current symbol of its Ensembl id, or else of its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A gene id, with its version, that of an earlier assembly (.5_2), a column number or the second pseudoautosomal copy.
ENSEMBL = re.compile(r"(ENS[A-Z]*G\d{11})(?:[._-]\d+)*(?:_PAR_Y)?")
DATE = re.compile(r"(\d{1,2})-(MAR|SEPT?|DEC)|(MAR|SEPT?|DEC)-(\d{1,2})")
# Symbol stems that spreadsheets read as months. 1 and 2 March could each be one of two genes and stay unresolved.
STEMS_BY_MONTH = {"MAR": ("MARCH", "MARC"), "SEP": ("SEPT",), "SEPT": ("SEPT",), "DEC": ("DEC",)}
SELENOF_DATES = {"15-SEP", "SEP-15"}  # SELENOF was SEP15 and is not a septin
DUPLICATE = re.compile(r"(.+?)(?:[._-]\d|[._-]DUP\d*)")  # R, pandas and scanpy number columns of the same name


@dataclass(frozen=True)
class GeneNames:
    """Current symbols of human genes: ``current`` by any name, in capitals, and ``by_id`` by Ensembl id.

    ``symbols`` are the names, in capitals, that are or were a gene's symbol, without aliases.
    """

    current: Mapping[str, str]
    by_id: Mapping[str, str]
    symbols: frozenset[str]


@cache
def human_names() -> GeneNames:
    """Return the current and previous names of human genes from the HUGO Gene Nomenclature Committee."""
    text = files("spacrd_core").joinpath("genes/hgnc.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[2:]]
    current: dict[str, str] = {}
    for symbol, _, previous, aliases in rows:
        current.update(dict.fromkeys(_split(aliases) + _split(previous), symbol))
    current.update((symbol.upper(), symbol) for symbol, *_ in rows)
    symbols = frozenset(name for symbol, _, previous, _ in rows for name in (symbol.upper(), *_split(previous)))
    return GeneNames(current, {gene_id: symbol for symbol, gene_id, *_ in rows if gene_id}, symbols)


def parse_ensembl_id(text: str) -> str:
    """Return a text that is an Ensembl gene id without its version; '' if it is not one."""
    match = ENSEMBL.fullmatch(text)
    return match[1] if match else ""


def current_symbol(symbol: str, gene_id: str = "") -> str:
    """Return a human gene's current symbol by its Ensembl id, or else by its name; the name itself if both are unknown.

    The name may be an Ensembl id, differ in case, end in a column number, or have become a date.
    """
    names = human_names()
    current = names.by_id.get(gene_id) or names.current.get(symbol.upper())
    if current:
        return current
    symbol_id = parse_ensembl_id(symbol)
    if symbol_id:
        return names.by_id.get(symbol_id, symbol_id)
    return _repair(symbol.upper(), names.current) or symbol


def is_human_name(symbol: str) -> bool:
    """Return whether a human gene has or had this symbol, in any case, with a column number or as a date."""
    current = human_names().current
    return symbol.upper() in current or bool(_repair(symbol.upper(), current))


def resolve_names(symbols: Sequence[str], gene_ids: Sequence[str] = (), *, human: bool) -> tuple[list[str], list[str]]:
    """Return the current name and the Ensembl id ('' if unknown) of each gene of a section.

    Genes of other species keep their symbols, because the same symbol may name a different gene there.
    """
    symbol_ids = [parse_ensembl_id(symbol) if symbol.startswith("ENS") else "" for symbol in symbols]
    ids = [
        parse_ensembl_id(gene_id) or symbol_id
        for gene_id, symbol_id in zip(gene_ids or symbol_ids, symbol_ids, strict=True)
    ]
    if human:
        return [current_symbol(symbol, gene_id) for symbol, gene_id in zip(symbols, ids, strict=True)], ids
    return [symbol_id or symbol for symbol, symbol_id in zip(symbols, symbol_ids, strict=True)], ids


def _repair(name: str, current: Mapping[str, str]) -> str:
    """Return the current symbol of a name that became a date or ends in a column number; '' if there is none."""
    date = DATE.fullmatch(name)
    if date:
        month, day = date[2] or date[3], int(date[1] or date[4])
        symbols = {current[f"{stem}{day}"] for stem in STEMS_BY_MONTH[month] if f"{stem}{day}" in current}
        if len(symbols) == 1:
            return symbols.pop()
        return "SELENOF" if name in SELENOF_DATES else ""
    duplicate = DUPLICATE.fullmatch(name)
    return current.get(duplicate[1], "") if duplicate else ""


def _split(names: str) -> list[str]:
    return names.split(",") if names else []
