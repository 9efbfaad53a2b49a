"""How many of a section's gene names are known: where almost none is, they are not names of genes.

A table whose names are those of another database, row numbers, or damaged in a way nobody foresaw reads well and means
nothing: a detector trained on it has a panel that no other section measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import TrainingError
from spacrd_core.genes.names import is_human_name, parse_ensembl_id
from spacrd_core.genes.species import is_mouse_name
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIN_KNOWN_SHARE = 0.1
MIN_NAMES = 10  # of fewer names, a share of one in ten means nothing
MAX_SHOWN = 3
UNKNOWN_GENES = "almost no gene name is known (HGNC, Ensembl or mouse)"
ALLOW_UNKNOWN = "--set cohort.unknown_genes=true"


def count_known(symbols: Sequence[str], gene_ids: Sequence[str] = ()) -> int:
    """Return how many genes have an Ensembl id, or a symbol that a human or a mouse gene has, in any case."""
    ids = gene_ids or [""] * len(symbols)
    return sum(bool(gene_id) or _is_known(symbol) for symbol, gene_id in zip(symbols, ids, strict=True))


def describe_unknown(symbols: Sequence[str], gene_ids: Sequence[str] = ()) -> str:
    """Return how many gene names are known if those are fewer than one in ten; '' otherwise."""
    known = count_known(symbols, gene_ids)
    if len(symbols) < MIN_NAMES or known >= MIN_KNOWN_SHARE * len(symbols):
        return ""
    unknown = [symbol for symbol in symbols if not _is_known(symbol)][:MAX_SHOWN]
    return f"{known} of {len(symbols)} ({listed(unknown)}, ...)"


def require_known_genes(names: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
    """Refuse to train on sections of whose gene names almost none is known; symbols and Ensembl ids by section.

    Raises
    ------
    TrainingError
        With every such section.
    """
    described = {name: describe_unknown(*genes) for name, genes in names.items()}
    unknown = [f"'{name}', {description}" for name, description in described.items() if description]
    if unknown:
        more = f"; and {len(unknown) - MAX_SHOWN} more sections" if len(unknown) > MAX_SHOWN else ""
        raise TrainingError(
            f"{UNKNOWN_GENES} in {'; '.join(unknown[:MAX_SHOWN])}{more}",
            hint="ingest again from counts with gene symbols or Ensembl ids, leave the sections out with --exclude, or "
            f"train on these names: {ALLOW_UNKNOWN}",
        )


def _is_known(symbol: str) -> bool:
    return is_human_name(symbol) or is_mouse_name(symbol) or bool(parse_ensembl_id(symbol))
