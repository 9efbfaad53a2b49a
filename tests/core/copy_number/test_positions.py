"""Where genes lie: by symbol, former symbol and Ensembl id; families that one cell type turns on are left out."""

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.copy_number.positions import CLUSTERED_FAMILIES, UNPLACED, human_positions
from spacrd_core.genes.expression import Expression

ARMS = {"ERBB2": "17q", "MYC": "8q", "EGFR": "7p", "TP53": "17p", "PTEN": "10q", "RB1": "13q", "MDM2": "12q"}
LEFT_OUT = (
    *("HLA-A", "IGHG1", "IGKC", "IGLC2", "IGHV3-23", "TRAC", "TRBC1", "HBA1", "HBB", "KRT8", "KRTAP5-1", "SPRR1A"),
    *("LCE3D", "S100A8", "CEACAM5", "MUC1", "SCGB2A2", "REG1A", "REG4", "CXCL8", "CCL5", "PNLIP", "CEL", "CELA3A"),
    *("CPA1", "PRSS1", "CTRB1", "COL1A1", "PCDHB5", "H1-4", "H2AC6", "H2BC5", "H3C2", "H4C3", "RPL3", "RPS6", "RPLP0"),
)
KEPT = (
    *("TRADD", "TRAF2", "IGF1R", "IGFBP3", "IGHMBP2", "HBEGF", "HBP1", "CELF1", "CELSR1", "REEP5", "RPS6KB1", "RPA1"),
    *("H2AX", "MUTYH", "CPNE1", "CCND1", "COLGALT1", "PRSS", "S1PR1"),
)


def arms(symbols: list[str], gene_ids: list[str] | None = None) -> list[str]:
    counts = sparse.csr_matrix(np.ones((2, len(symbols))))
    expression = Expression.from_counts(counts, symbols, gene_ids or ())
    names = [*human_positions().arm, ""]
    placed = dict(zip(expression.symbols, (names[row] for row in human_positions().rows_of(expression)), strict=True))
    return [str(placed[symbol]) for symbol in expression.symbols]


def test_genes_lie_on_the_arms_that_textbooks_say() -> None:
    assert dict(zip(sorted(ARMS), arms(sorted(ARMS)), strict=True)) == ARMS


def test_a_gene_is_found_by_its_id_and_by_a_former_symbol() -> None:
    assert arms(["whatever"], ["ENSG00000136997"]) == ["8q"]  # MYC
    assert arms(["FAM46A"]) == ["6q"]  # TENT5A today


def test_genes_of_sex_chromosomes_and_mitochondria_have_no_place() -> None:
    assert arms(["XIST", "SRY", "MT-CO1", "no gene"]) == [""] * 4


@pytest.mark.parametrize("symbol", LEFT_OUT)
def test_families_of_neighbours_that_one_cell_type_turns_on_are_left_out(symbol: str) -> None:
    assert arms([symbol]) == [""]


@pytest.mark.parametrize("symbol", KEPT)
def test_genes_that_only_begin_like_a_family_are_kept(symbol: str) -> None:
    assert not CLUSTERED_FAMILIES.match(symbol)


def test_the_table_has_every_autosome_in_order_with_its_arms() -> None:
    positions = human_positions()
    order = list(zip(positions.chromosome, positions.start, strict=True))
    assert order == sorted(order)
    assert set(positions.chromosome) == set(range(1, 23))
    changes = positions.arm[np.flatnonzero(positions.arm[1:] != positions.arm[:-1])].tolist()
    assert len(changes) == len(set(changes)), "an arm is one stretch"
    assert (positions.length > 0).all()
    placed = positions.row_of[positions.row_of != UNPLACED]
    assert placed.between(0, len(positions.arm) - 1).all()
    assert 0.9 < len(placed) / len(positions.row_of) < 1, "families are left out"


def test_a_symbol_of_several_places_has_none_but_its_ids_have() -> None:
    names = human_positions().row_of.index
    assert names.is_unique
    assert "Y_RNA" not in names


def test_a_family_is_left_out_when_genes_are_named_by_id_alone() -> None:
    assert arms(["ENSG00000204525"], ["ENSG00000204525"]) == [""]  # HLA-C


def test_nearby_genes_are_those_within_a_million_bases() -> None:
    positions = human_positions()
    middle = positions.start + positions.length / 2
    for row in (0, 1234, 20_000, len(middle) - 1):
        same = positions.chromosome == positions.chromosome[row]
        assert positions.nearby[row] == (np.abs(middle[same] - middle[row]) <= 1e6).sum()
