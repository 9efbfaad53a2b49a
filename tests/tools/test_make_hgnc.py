"""The table of gene names holds those that mean one gene alone."""

from make_hgnc import COLUMNS, LAST, Row, table

from spacrd_core.genes.names import human_names


def row(symbol: str, previous: str = "", aliases: str = "", *, gene_id: str = "", status: str = "Approved") -> Row:
    return {
        "Status": status,
        "Approved symbol": symbol,
        "Previous symbols": previous,
        "Alias symbols": aliases,
        "Ensembl gene ID": gene_id,
    }


def lines(*rows: Row) -> list[str]:
    header, columns, *found = table(rows)
    assert header.startswith("# ")
    assert columns == "\t".join(COLUMNS)
    return found


def test_a_line_holds_a_gene_its_id_and_its_other_names_in_capitals() -> None:
    genes = lines(row("C2orf1", "Old2, OLD1", "p53x", gene_id="ENSG00000000001"), row("A1", gene_id="ENSG00000000002"))
    assert genes == ["A1\tENSG00000000002\t\t", "C2orf1\tENSG00000000001\tOLD1,OLD2\tP53X"]


def test_names_that_are_symbols_today_or_were_two_genes_are_left_out() -> None:
    genes = lines(row("AAA", "BBB, SHARED"), row("BBB", "SHARED", "Double"), row("CCC", "", "Double, aaa"))
    assert genes == ["AAA\t\t\t", "BBB\t\t\t", "CCC\t\t\t"]


def test_an_alias_gives_way_to_an_earlier_symbol_and_short_ones_are_left_out() -> None:
    assert lines(row("AAA", "OLD"), row("BBB", "", "OLD, B2")) == ["AAA\t\tOLD\t", "BBB\t\t\t"]


def test_of_two_bearers_of_a_name_the_last_has_it() -> None:
    assert lines(row("QARS1", "QARS"), row("EPRS1", "QARS")) == ["EPRS1\t\t\t", "QARS1\t\tQARS\t"]


def test_withdrawn_entries_are_no_genes() -> None:
    assert lines(row("GONE", "OLD", status="Symbol Withdrawn")) == []


def test_the_shipped_table_has_what_was_settled_by_hand() -> None:
    assert {name: human_names().current[name] for name in LAST} == LAST
