"""The species of a section, inferred from its gene names; a detector is valid for one species only."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import DetectorError, TrainingError
from spacrd_core.genes.names import human_names
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HUMAN = "human"
SPECIES_BY_PREFIX = {  # prefixes of Ensembl gene ids
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
MOUSE_ONLY = re.compile(r"Gm\d+|.*Rik\d*")  # predicted genes and RIKEN clones
RIKEN_IN_CAPITALS = re.compile(r"[A-Z0-9]{7}[A-Z]\d{2}RIK\d*")  # 1700010H15RIK; human genes have a few as aliases
MIN_INFORMATIVE_GENES = 10  # test panels and controls have fewer
MIN_SHARE = 0.8  # of the informative genes; a human tumour grafted into a mouse has both species


@dataclass(frozen=True)
class Species:
    """An inferred species: ``name`` ('' if undecided) and its ``share`` of the informative genes."""

    name: str = ""
    share: float = 0.0

    @property
    def may_be_human(self) -> bool:
        """Whether the genes are human, or no gene is informative."""
        return self.name == HUMAN or not self.share


def infer_species(symbols: Iterable[str], gene_ids: Iterable[str] = ()) -> Species:
    """Return the species by Ensembl ids, or else by the case of symbols: human in capitals, mouse capitalised.

    Rat symbols are written like mouse symbols. Only names that human genes have, in any case, and symbols that occur in
    mice alone are informative. Symbols in capitals are of mice where RIKEN clones are among them.
    """
    by_id = Counter(_from_id(gene_id) for gene_id in gene_ids if gene_id)
    votes = by_id if by_id.total() - by_id[""] >= MIN_INFORMATIVE_GENES else _votes_of_symbols(list(symbols))
    del votes[""]
    if votes.total() < MIN_INFORMATIVE_GENES:
        return Species()
    name, count = votes.most_common(1)[0]
    share = count / votes.total()
    return Species(name, share) if share >= MIN_SHARE else Species("", share)


def common_species(species_by_section: Mapping[str, Species]) -> str:
    """Return the species that the sections have in common; '' if it is undecided for all of them.

    Raises
    ------
    TrainingError
        If the sections are of several species.
    """
    sections: dict[str, list[str]] = {}
    for section_id, species in species_by_section.items():
        if species.name:
            sections.setdefault(species.name, []).append(section_id)
    if len(sections) > 1:
        names = "; ".join(f"{name} genes in {_first_three(ids)}" for name, ids in sorted(sections.items()))
        raise TrainingError(
            f"all sections must be of one species, found {names}", hint="leave the others out: --exclude SECTION"
        )
    return next(iter(sections), "")


def require_species(section_id: str, species: Species, required: str) -> None:
    """Refuse a section of another species than the detector's; either may be unknown.

    Raises
    ------
    DetectorError
        If both are known and differ.
    """
    if species.name and required and species.name != required:
        raise DetectorError(
            f"section '{section_id}' measures {species.name} genes ({species.share:.0%} of the informative genes), "
            f"but the detector was trained on {required} genes",
            hint=f"give a section of {required} tissue, or train a detector on {species.name} sections",
        )


def is_mouse_name(symbol: str) -> bool:
    """Return whether only a mouse gene has this symbol, as it is or in capitals."""
    return bool(MOUSE_ONLY.fullmatch(symbol) or RIKEN_IN_CAPITALS.fullmatch(symbol))


def _votes_of_symbols(symbols: Sequence[str]) -> Counter[str]:
    votes = Counter(map(_from_symbol, symbols))
    if sum(bool(RIKEN_IN_CAPITALS.fullmatch(symbol)) for symbol in symbols) >= MIN_INFORMATIVE_GENES:
        votes["mouse"] += votes.pop(HUMAN, 0)
    return votes


def _from_id(gene_id: str) -> str:
    match = PREFIX.match(gene_id)
    return SPECIES_BY_PREFIX.get(match[1], match[1]) if match else ""


def _from_symbol(symbol: str) -> str:
    if symbol.startswith("ENS") and PREFIX.match(symbol):
        return _from_id(symbol)
    capitals = symbol.upper()
    if capitals not in human_names().current:
        return "mouse" if MOUSE_ONLY.fullmatch(symbol) else ""
    if symbol in {capitals, capitals.replace("ORF", "orf")}:
        return HUMAN
    if symbol == symbol.lower():
        return "zebrafish"
    return "mouse" if symbol == symbol.capitalize() else ""


def _first_three(names: Sequence[str]) -> str:
    return ", ".join(map(shortened, names[:3])) + (", ..." if len(names) > 3 else "")
