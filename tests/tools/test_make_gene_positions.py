"""The table of gene positions: autosomes alone, sorted, each gene on the arm that holds its middle."""

from make_gene_positions import COLUMNS, table

BANDS = [
    "1 p 36.3 0 100 1 1000 gneg ",
    "1 p 11 100 200 1001 2000 acen ",
    "1 q 11 200 300 2001 3000 acen ",
    "2 p 1 0 9 1 500 x ",
]


def lines(*genes: str) -> list[str]:
    header, columns, *found = table(["# chr\tstart", *genes], BANDS)
    assert header.startswith("# ")
    assert "release" in header
    assert columns == "\t".join(COLUMNS)
    return found


def test_a_line_holds_id_symbol_arm_start_and_length() -> None:
    assert lines("1\t100\t50\t42\tGENE\tsome words\t\t3") == ["ENSG00000000042\tGENE\t1p\t100\t50"]


def test_a_gene_is_on_the_arm_that_holds_its_middle() -> None:
    assert [line.split("\t")[2] for line in lines("1\t1990\t20\t1\tA", "1\t1990\t22\t2\tB")] == ["1p", "1q"]


def test_genes_are_sorted_by_position_and_sex_chromosomes_are_left_out() -> None:
    found = lines("2\t5\t10\t3\tC", "1\t900\t10\t1\tA", "X\t5\t10\t9\tX", "MT\t5\t10\t8\tM", "1\t20\t10\t2\tB")
    assert [line.split("\t")[1] for line in found] == ["B", "A", "C"]
