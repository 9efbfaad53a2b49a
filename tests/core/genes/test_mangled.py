"""Symbols that R turned into names of variables become symbols again, and no other name changes."""

import gzip
import re
from pathlib import Path

import pytest

from spacrd_core.genes.mangled import restore_symbols
from spacrd_core.genes.names import human_names


def as_r_writes(symbol: str) -> str:
    """Return what R's ``make.names`` makes of a symbol."""
    return re.sub(r"^(?=\d)", "X", re.sub(r"[^A-Za-z0-9._]", ".", symbol))


@pytest.mark.parametrize(
    "symbol",
    [
        *("HLA-A", "HLA-DRB1", "MT-ND1", "NKX2-1", "NKX2-2", "7SK", "H1-4", "TRBV20-1", "ZNF286A-TBC1D26"),
        *("RP11-34P13.7", "CTD-2369P2.10", "XXbac-B461K10.4", "LYST-AS1", "hsa-mir-423"),
        *("H2-K1", "H2-M10.2", "mt-Nd1", "Nkx2-1", "Hbb-bs", "Rps2-ps10", "4930402H24Rik", "Igkv3-2", "Krtap28-10"),
    ],
)
def test_a_symbol_that_r_changed_is_restored(symbol: str) -> None:
    assert as_r_writes(symbol) != symbol
    assert restore_symbols([as_r_writes(symbol)]) == [symbol]


@pytest.mark.parametrize(
    "symbol", ["ERBB2", "AC241585.1", "WDFY4.1", "ATRIP.1", "ECSCR.1", "H3.2", "XIST", "X11", "3-Mar", "Gm1992", "a.b"]
)
def test_other_names_stay(symbol: str) -> None:
    assert restore_symbols([symbol]) == [symbol]


def test_the_number_of_a_copy_is_no_hyphen() -> None:
    assert restore_symbols(["NKX2", "NKX2.1"]) == ["NKX2", "NKX2.1"]
    assert restore_symbols(["NKX2.1"]) == ["NKX2-1"]


def test_names_that_no_list_has_lose_their_x_only_in_a_table_that_r_changed() -> None:
    assert restore_symbols(["HLA.A", "X5_8S_rRNA"]) == ["HLA-A", "5_8S_rRNA"]
    assert restore_symbols(["HLA-A", "X5_8S_rRNA"]) == ["HLA-A", "X5_8S_rRNA"]
    assert restore_symbols(["ERBB2", "X5_8S_rRNA"]) == ["ERBB2", "X5_8S_rRNA"]


def test_no_current_symbol_changes() -> None:
    symbols = sorted(human_names().by_id.values())
    assert restore_symbols(symbols) == symbols


def test_the_symbols_of_a_real_mouse_table_survive_r(visium: Path) -> None:
    table = visium / "mouse_embryo_spaceranger3" / "filtered_feature_bc_matrix" / "features.tsv.gz"
    with gzip.open(table, "rt") as stream:
        symbols = [line.split("\t")[1] for line in stream]
    changed = [as_r_writes(symbol) for symbol in symbols]
    hyphenated = sum(old != new for old, new in zip(symbols, changed, strict=True))
    lost = [old for old, new in zip(symbols, restore_symbols(changed), strict=True) if old != new]
    assert hyphenated > 500
    assert len(lost) <= 3
    assert restore_symbols(symbols) == symbols


def test_no_symbol_of_a_real_st_section_changes(her2st: Path) -> None:
    with gzip.open(her2st / "ST-cnts" / "A1.tsv.gz", "rt") as stream:
        symbols = stream.readline().rstrip("\n").split("\t")[1:]
    assert restore_symbols(symbols) == symbols
