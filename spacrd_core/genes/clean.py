"""Gene names as count tables write them, cleaned: which text is a symbol, which an id, and nothing around them.

Tables of labs quote their names, join symbol and Ensembl id in one cell, exchange the two columns, put the genome
before every name, and were changed by R. Every reader passes its names through :func:`clean_names`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from spacrd_core.genes.known import MIN_KNOWN_SHARE, count_known
from spacrd_core.genes.mangled import restore_symbols
from spacrd_core.genes.names import parse_ensembl_id
from spacrd_core.quoting import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

QUOTES = "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
SEPARATORS = r"[\s_|;:,/.()\[\]-]+"
ID = r"(?P<id>ENS[A-Z]*G\d{11}(?:\.\d+)?)"
SYMBOL = r"(?P<symbol>(?=.*[A-Za-z]).+?)"
JOINED = (re.compile(rf"{SYMBOL}{SEPARATORS}{ID}[)\]]?"), re.compile(rf"{ID}{SEPARATORS}{SYMBOL}[)\]]?"))
GENOME = re.compile(r"(?i)(GRCh3[678]|GRCm3[89]|hg(?:1[89]|38)|mm(?:9|10|39)|human|mouse)[_-]+(?=.)")
MISSING = {"", "NA", "N/A", "nan", "None", "null", "-", "."}
MIN_EXCHANGED_SHARE = 0.5


@dataclass(frozen=True)
class CleanNames:
    """The symbol and the id of each gene, and notes on what was changed.

    ``ids`` are as the table writes them: Ensembl ids with their version, or the ids of another database.
    """

    symbols: list[str]
    ids: list[str]
    notes: tuple[str, ...] = ()

    @property
    def gene_ids(self) -> list[str]:
        """The Ensembl ids without their versions, '' where there is none."""
        return [parse_ensembl_id(text) for text in self.ids]


def clean_names(symbols: Sequence[str], ids: Sequence[str] = ()) -> CleanNames:
    """Return the clean names of genes; without ``ids``, symbols may be or contain them.

    >>> clean_names(['"TP53 ENSG00000141510"', "HLA.A"]).symbols
    ['TP53', 'HLA-A']
    """
    ids = ids or symbols
    plain, plain_ids = ([unquote(name) for name in names] for names in (symbols, ids))
    notes = _change_note("gene names in quotes, unquoted", symbols, plain)
    named, named_ids, genome_notes = _without_genome(plain, plain_ids)
    split = _tell_apart(named, named_ids)
    restored = restore_symbols(split.symbols)
    restored_notes = _change_note("gene symbols changed by R, restored", split.symbols, restored)
    return CleanNames(restored, split.ids, (*notes, *genome_notes, *split.notes, *restored_notes))


def unquote(name: str) -> str:
    """Return a name without quotes around it; the cells of a row that was quoted as a whole have one on one side."""
    return name.strip().strip(QUOTES).strip()


def is_ensembl_id(name: str) -> bool:
    """Return whether a name is an Ensembl gene id, in quotes or after the name of a genome too."""
    return bool(parse_ensembl_id(GENOME.sub("", unquote(name), count=1)))


def genome_of(name: str) -> str:
    """Return the genome that a name begins with (``GRCh38_TP53``, ``mm10___Tp53``); '' if there is none."""
    match = GENOME.match(name)
    return match[1] if match else ""


def _without_genome(symbols: list[str], ids: list[str]) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Return names without the genome before them, and notes; names of several genomes must stay apart."""
    genomes = {genome.casefold(): genome for name in (*symbols, *ids) if (genome := genome_of(name))}
    if not genomes:
        return symbols, ids, ()
    if len(genomes) > 1:
        names = listed(sorted(genomes.values()))
        return symbols, ids, (f"gene names of {len(genomes)} genomes, kept with their prefixes: {names}",)
    short, short_ids = ([GENOME.sub("", name, count=1) for name in names] for names in (symbols, ids))
    return short, short_ids, _change_note("genome before gene names, removed", symbols, short)


def _tell_apart(symbols: list[str], ids: list[str]) -> CleanNames:
    """Return which text of each gene is its symbol and which its id, by the texts."""
    exchanged = _are_exchanged(symbols, ids)
    if exchanged:
        symbols, ids = ids, symbols
    genes = [_tell_names(symbol, gene_id) for symbol, gene_id in zip(symbols, ids, strict=True)]
    swapped = [f"{gene.symbol} is {gene.id}" for gene in genes if exchanged or gene.found == "exchanged"]
    joined = [f"{gene.symbol} and {gene.id}" for gene in genes if gene.found == "joined"]
    unnamed = [gene.id for gene in genes if gene.found == "unnamed"]
    notes = (
        *_count_note("gene symbols and ids in each other's column, exchanged", swapped),
        *_count_note("gene symbols and Ensembl ids in one cell, separated", joined),
        *_count_note("genes without a symbol, named by their ids", unnamed),
    )
    return CleanNames([gene.symbol for gene in genes], [gene.id for gene in genes], notes)


class _Gene(NamedTuple):
    symbol: str
    id: str
    found: Literal["apart", "joined", "exchanged", "unnamed"]


def _tell_names(symbol: str, gene_id: str) -> _Gene:
    """Return the names of one gene from the texts of its symbol and of its id, which may be the same."""
    (name, inner_id), (other_name, other_id) = _split(symbol), _split(gene_id)
    ensembl_id = other_id or inner_id
    text = ensembl_id or (symbol if gene_id in MISSING else gene_id)
    if (name and inner_id) or (other_name and other_id):
        return _Gene(name or other_name, text, "joined")
    if name:
        return _Gene(name, text, "apart")
    if inner_id and re.search("[A-Za-z]", other_name):
        return _Gene(other_name, text, "exchanged")
    return _Gene(inner_id or text, text, "apart" if inner_id else "unnamed")


def _split(text: str) -> tuple[str, str]:
    """Return the symbol and the Ensembl id in a text; '' for each that is not there."""
    if parse_ensembl_id(text):
        return "", text
    if text in MISSING:
        return "", ""
    if "ENS" in text:
        for pattern in JOINED:
            if match := pattern.fullmatch(text):
                return match["symbol"], match["id"]
    return text, ""


def _are_exchanged(symbols: list[str], ids: list[str]) -> bool:
    """Return whether two columns without Ensembl ids hold names of no gene, and the symbols as the other one's ids."""
    if symbols == ids or any(map(parse_ensembl_id, (*symbols, *ids))):
        return False
    known, known_ids = count_known(symbols), count_known(ids)
    return known < MIN_KNOWN_SHARE * len(symbols) and known_ids > MIN_EXCHANGED_SHARE * len(ids)


def _change_note(sentence: str, before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    changes = [f"{old} to {new}" for old, new in zip(before, after, strict=True) if old != new]
    return _count_note(sentence, changes)


def _count_note(sentence: str, examples: Sequence[str]) -> tuple[str, ...]:
    """Return the number of the genes of a note, and the first of them."""
    if not examples:
        return ()
    shown = ", ".join(map(shortened, examples[:2])) + (", ..." if len(examples) > 2 else "")
    return (f"{sentence}: {len(examples)} ({shown})",)
