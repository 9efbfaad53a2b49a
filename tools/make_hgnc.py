"""Make ``hgnc.tsv``: the current symbol, Ensembl id and earlier names of every human gene.

From genenames.org (custom downloads, all statuses), whose data are free of restrictions (CC0):
``python -m make_hgnc hgnc_entries.tsv > spacrd_core/genes/hgnc.tsv``
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HEADER = "# HUGO Gene Nomenclature Committee (genenames.org), July 2024, CC0 1.0; names that mean one gene alone"
COLUMNS = ("symbol", "ensembl_id", "previous", "aliases")
SHORTEST = 3  # letters of an alias: shorter ones mean many things
# Names that two genes have borne, and the gene that bore it last: the one that count tables mean.
LAST = {
    "B3GNT1": "B4GAT1",
    "C11ORF48": "LBHD1",
    "GGTA1P": "GGTA1",
    "HNRPA3": "HNRNPA3",
    "MUM1": "PWWP3A",
    "ODZ3": "TENM3",
    "QARS": "QARS1",
    "STRA13": "CENPX",
}

Row = dict[str, str]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table: names that are another gene's symbol, or that two genes share, are left out."""
    approved = [row for row in rows if row["Status"] == "Approved"]
    taken = {row["Approved symbol"].upper() for row in approved}
    previous = _of_one_gene(approved, "Previous symbols", taken, LAST)
    borne = {name.upper() for row in approved for name in _names(row, "Previous symbols")}
    aliases = _of_one_gene(approved, "Alias symbols", taken | borne, {})
    yield HEADER
    yield "\t".join(COLUMNS)
    for row in sorted(approved, key=lambda row: row["Approved symbol"]):
        symbol = row["Approved symbol"]
        short = [name for name in aliases[symbol] if len(name) >= SHORTEST]
        yield "\t".join((symbol, row["Ensembl gene ID"], ",".join(previous[symbol]), ",".join(short)))


def _of_one_gene(
    rows: Sequence[Row], column: str, taken: set[str], last: Mapping[str, str]
) -> defaultdict[str, list[str]]:
    """Return the names, in capitals, that are one gene's alone, by its symbol."""
    bearers: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for name in _names(row, column):
            bearers[name.upper()].add(row["Approved symbol"])
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, genes in sorted(bearers.items()):
        gene = last.get(name) or (next(iter(genes)) if len(genes) == 1 else "")
        if gene and name not in taken:
            found[gene].append(name)
    return found


def _names(row: Row, column: str) -> list[str]:
    return [name.strip() for name in row[column].split(",") if name.strip()]


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as stream:
        sys.stdout.writelines(f"{line}\n" for line in table(csv.DictReader(stream, delimiter="\t")))
