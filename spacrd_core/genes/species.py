"""Which species a section's genes are of: a detector of one species says nothing of another's tissue."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import DetectorError, TrainingError
from spacrd_core.genes.names import human_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HUMAN = "human"
OF_PREFIX = {  # of Ensembl gene ids
    "ENSG": HUMAN,
    "ENSMUSG": "mouse",
    "ENSRNOG": "rat",
    "ENSDARG": "zebrafish",
    "ENSSSCG": "pig",
    "ENSMMUG": "macaque",
    "ENSCAFG": "dog",
    "ENSBTAG": "cow",
    "ENSGALG": "chicken",
}
PREFIX = re.compile(r"(ENS[A-Z]*G)\d{11}")
MOUSE_ALONE = re.compile(r"Gm\d+|.*Rik\d*")  # predicted genes and RIKEN clones
FEWEST = 10  # genes that must tell; test panels and controls tell too little
CLEAR = 0.8  # of the genes that tell; a graft of human tumour in a mouse has both


@dataclass(frozen=True)
class Species:
    """What a section's genes say: ``name`` ('' where they do not tell) and its ``share`` of the genes that tell."""

    name: str = ""
    share: float = 0.0

    @property
    def may_be_human(self) -> bool:
        """Whether its genes are human, or nothing tells."""
        return self.name == HUMAN or not self.share


def species_of(symbols: Iterable[str], gene_ids: Iterable[str] = ()) -> Species:
    """Return the species by Ensembl ids, or else by how symbols are written: human in capitals, mouse with one.

    Rats are written as mice are. Only names that human genes have, in any case, and the mouse's own ones tell.
    """
    by_id = Counter(_of_id(gene_id) for gene_id in gene_ids if gene_id)
    found = by_id if by_id.total() - by_id[""] >= FEWEST else Counter(map(_of_symbol, symbols))
    del found[""]
    if found.total() < FEWEST:
        return Species()
    name, count = found.most_common(1)[0]
    share = count / found.total()
    return Species(name, share) if share >= CLEAR else Species("", share)


def one_species(found: Mapping[str, Species]) -> str:
    """Return the one species of sections, by their ids; '' where none tells.

    Raises
    ------
    TrainingError
        If they are of several.
    """
    sections: dict[str, list[str]] = {}
    for section, species in found.items():
        if species.name:
            sections.setdefault(species.name, []).append(section)
    if len(sections) > 1:
        several = "; ".join(f"{name} genes in {_some(ids)}" for name, ids in sorted(sections.items()))
        raise TrainingError(
            f"sections of one species were wanted, found {several}", hint="leave the others out: --exclude SECTION"
        )
    return next(iter(sections), "")


def require_species(section: str, found: Species, wanted: str) -> None:
    """Refuse a section whose genes are of another species than a detector's; either may be unknown.

    Raises
    ------
    DetectorError
        If they are.
    """
    if found.name and wanted and found.name != wanted:
        raise DetectorError(
            f"section '{section}' measures {found.name} genes ({found.share:.0%} of those that tell), "
            f"the detector reads {wanted} ones",
            hint=f"give a section of {wanted} tissue, or train a detector on sections of {found.name}",
        )


def _of_id(gene_id: str) -> str:
    found = PREFIX.match(gene_id)
    return OF_PREFIX.get(found[1], found[1]) if found else ""


def _of_symbol(symbol: str) -> str:
    if symbol.startswith("ENS") and PREFIX.match(symbol):
        return _of_id(symbol)
    capitals = symbol.upper()
    if capitals not in human_names().current:
        return "mouse" if MOUSE_ALONE.fullmatch(symbol) else ""
    if symbol in {capitals, capitals.replace("ORF", "orf")}:
        return HUMAN
    if symbol == symbol.lower():
        return "zebrafish"
    return "mouse" if symbol == symbol.capitalize() else ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
