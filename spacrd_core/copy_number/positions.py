"""Where the genes of a section lie in the human genome."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.genes.names import current_symbol

if TYPE_CHECKING:
    from jaxtyping import Int, Shaped

    from spacrd_core.arrays import Array
    from spacrd_core.genes.expression import Expression

UNPLACED = -1
NEARBY_BP = 1_000_000
# Families of neighbouring genes that one cell type turns on together: their expression would look like a gained arm.
CLUSTERED_FAMILIES = re.compile(
    r"HLA-|IGH(?!MBP)[ADEGJMV]|IG[KL][CJLV]|TR[ABDG][CDJV](\d|$)"  # immune cells
    r"|HB(A\d|B|D|E1|G\d|M|Q1|Z)$"  # red cells
    r"|KRT(\d|AP)|SPRR|LCE\d|S100A|CEACAM|MUC\d|SCGB|REG(\d|$)|CXCL\d|CCL\d"  # epithelium and inflammation
    r"|PNLIP|CEL(A\d|$)|CPA\d|PRSS\d|CTRB\d"  # pancreas
    r"|COL\d+A\d|PCDH"  # stroma and nerve
    r"|H1-\d|H[234][ABC]C?\d|RP[LS](?!6K)\d|RPLP\d|RPSA|MT-"  # histones, ribosomes, mitochondria
)


@dataclass(frozen=True, eq=False)
class GenePositions:
    """The genes of the autosomes, sorted by position (GRCh38).

    Attributes
    ----------
    arm, chromosome
        The chromosome arm (``8q``) and the chromosome (8) of each gene.
    start, length
        In bp.
    nearby
        The number of genes within 1 Mb, itself included.
    row_of
        The row of each gene, by Ensembl id and by current symbol; -1 for families that are left out.
    """

    arm: Shaped[Array, " genes"]
    chromosome: Int[Array, " genes"]
    start: Int[Array, " genes"]
    length: Int[Array, " genes"]
    nearby: Int[Array, " genes"]
    row_of: pd.Series[Any]

    def rows_of(self, expression: Expression) -> Int[Array, " genes"]:
        """Return the row of each gene of a section, by Ensembl id or else by symbol.

        It is -1 for a gene that has none, lies on a sex chromosome, has a symbol of several places, or is of a family
        of neighbours that one cell type turns on together.
        """
        rows = self._rows(expression.symbols)
        if expression.gene_ids:
            by_id = self._rows(expression.gene_ids)
            rows = np.where(by_id == UNPLACED, rows, by_id)
        clustered = [bool(CLUSTERED_FAMILIES.match(symbol)) for symbol in expression.symbols]
        return np.where(clustered, UNPLACED, rows)

    def _rows(self, names: tuple[str, ...]) -> Int[Array, " genes"]:
        return np.array(self.row_of.reindex(pd.Index(names, dtype=object), fill_value=UNPLACED), dtype=np.intp)


@cache
def human_positions() -> GenePositions:
    """Return the positions of human genes: Ensembl release 110, which places no restriction on use."""
    text = files("spacrd_core").joinpath("copy_number/gene_positions.tsv").read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), sep="\t", comment="#", keep_default_na=False)
    chromosome = table["arm"].str[:-1].astype(int).to_numpy()
    start, length = table["start"].to_numpy(), table["length"].to_numpy()
    symbols = [
        current_symbol(symbol, gene_id) for symbol, gene_id in zip(table["symbol"], table["gene_id"], strict=True)
    ]
    clustered = np.array([bool(CLUSTERED_FAMILIES.match(symbol)) for symbol in symbols])
    names = pd.Index([*table["gene_id"], *symbols], dtype=object)
    of_one_place = ~names.duplicated(keep=False) & (names != "")
    rows = np.tile(np.where(clustered, UNPLACED, np.arange(len(table))), 2)
    return GenePositions(
        arm=table["arm"].to_numpy(dtype=str),
        chromosome=chromosome,
        start=start,
        length=length,
        nearby=_nearby(chromosome, start + length / 2),
        row_of=pd.Series(rows[of_one_place], index=names[of_one_place]),
    )


def _nearby(chromosome: Int[Array, " genes"], middle: Array) -> Int[Array, " genes"]:
    """The number of genes whose middle lies within 1 Mb of each gene's."""
    nearby = np.zeros(len(middle), dtype=np.int64)
    for number in np.unique(chromosome):
        genes = chromosome == number
        ordered = np.sort(middle[genes])
        after = np.searchsorted(ordered, middle[genes] + NEARBY_BP, side="right")
        nearby[genes] = after - np.searchsorted(ordered, middle[genes] - NEARBY_BP, side="left")
    return nearby
