"""One name for every gene, whatever a count table calls it.

Symbols change: of the genes of an ST section of 2018 one in twenty is called otherwise today (``FAM46A`` is now
``TENT5A``), and spreadsheets make dates of some (``MARCH3`` becomes ``3-Mar``; Ziemann et al., Genome Biology 2016).
Ensembl ids stay. A human gene is therefore known by the current symbol of its Ensembl id, or else of its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENSEMBL = re.compile(r"(ENS[A-Z]*G\d{11})(\.\d+)?")
DATE = re.compile(r"(\d{1,2})-(MAR|SEPT?|DEC)|(MAR|SEPT?|DEC)-(\d{1,2})")
# What was called so before a spreadsheet read it; 1 and 2 March are two genes each, and nobody can tell which.
OF_MONTH = {"MAR": ("MARCH", "MARC"), "SEP": ("SEPT",), "SEPT": ("SEPT",), "DEC": ("DEC",)}
SELENOF = {"15-SEP": "SELENOF", "SEP-15": "SELENOF"}  # once SEP15, and no septin
REPEATED = re.compile(r"(.+)[.-]\d")  # pandas and scanpy number the columns of one name


@dataclass(frozen=True)
class GeneNames:
    """The names of human genes: ``current`` symbols by every name, in capitals, and ``by_id`` those by Ensembl id."""

    current: Mapping[str, str]
    by_id: Mapping[str, str]


@cache
def human_names() -> GeneNames:
    """Return the names that the HUGO Gene Nomenclature Committee gives human genes and has given them before."""
    text = files("spacrd_core").joinpath("genes/hgnc.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[2:]]
    current: dict[str, str] = {}
    for symbol, _, previous, aliases in rows:
        current.update(dict.fromkeys(_listed(aliases) + _listed(previous), symbol))
    current.update((symbol.upper(), symbol) for symbol, *_ in rows)
    return GeneNames(current, {gene_id: symbol for symbol, gene_id, *_ in rows if gene_id})


def ensembl_id(text: str) -> str:
    """Return the Ensembl gene id a text is, without its version; '' when it is none."""
    found = ENSEMBL.fullmatch(text)
    return found[1] if found else ""


def canonical(symbol: str, gene_id: str = "") -> str:
    """Return what a human gene is called today: by its Ensembl id, or else its name; itself where neither is known.

    A name may be an Ensembl id itself, be written in other case, end in the number of its column, or be a date.
    """
    names = human_names()
    known = names.by_id.get(gene_id) or names.current.get(symbol.upper())
    if known:
        return known
    own_id = ensembl_id(symbol)
    if own_id:
        return names.by_id.get(own_id, own_id)
    return _of_spoilt(symbol.upper(), names.current) or symbol


def identify(symbols: Sequence[str], gene_ids: Sequence[str] = (), *, human: bool) -> tuple[list[str], list[str]]:
    """Return the name and the Ensembl id ('' where not known) of each of a section's genes.

    Genes of other species keep their symbols: the same letters may name another gene there.
    """
    own = [ensembl_id(symbol) if symbol.startswith("ENS") else "" for symbol in symbols]
    ids = [ensembl_id(known) or found for known, found in zip(gene_ids or own, own, strict=True)]
    if human:
        return [canonical(symbol, gene_id) for symbol, gene_id in zip(symbols, ids, strict=True)], ids
    return [found or symbol for symbol, found in zip(symbols, own, strict=True)], ids


def _of_spoilt(name: str, current: Mapping[str, str]) -> str:
    """Return the gene of a name that became a date, or that is followed by a number; '' where that is none."""
    date = DATE.fullmatch(name)
    if date:
        month, day = date[2] or date[3], int(date[1] or date[4])
        found = {current[f"{stem}{day}"] for stem in OF_MONTH[month] if f"{stem}{day}" in current}
        return found.pop() if len(found) == 1 else SELENOF.get(name, "")
    repeated = REPEATED.fullmatch(name)
    return current.get(repeated[1], "") if repeated else ""


def _listed(names: str) -> list[str]:
    return names.split(",") if names else []
