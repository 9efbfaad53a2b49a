"""The lists of features and barcodes beside a MEX matrix, as R, pipelines and depositions write them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.tenx import Matrix, write_mex

from spacrd_core.errors import CountsError, MissingFile
from spacrd_readers.tenx.genes import Genes, genes_of
from spacrd_readers.tenx.matrix import open_matrix

SYMBOLS, IDS = ["ERBB2", "HLA-A", "TP53"], ["ENSG00000141736", "ENSG00000206503", "ENSG00000141510"]
BARCODES = ["AAAC-1", "AAAG-1", "AAAT-1", "AACC-1"]
COUNTS = np.arange(12).reshape(4, 3)
KIND = "Gene Expression"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A MEX folder without its list of features."""
    folder = write_mex(tmp_path / "m", Matrix(COUNTS, BARCODES, SYMBOLS, IDS), packed=False)
    (folder / "features.tsv").unlink()
    return folder


def read(folder: Path, genome: str = "") -> tuple[list[bytes], Genes]:
    with open_matrix(folder) as matrix:
        total = np.zeros(COUNTS.shape)
        for block in matrix.blocks():
            np.add.at(total, (block.barcodes, block.features), block.values)
        np.testing.assert_array_equal(total, COUNTS)
        return matrix.barcodes.tolist(), genes_of(matrix, genome)


def lines(row: Callable[[int, str, str], str], *first: str) -> str:
    rows = [row(number, gene_id, symbol) for number, (gene_id, symbol) in enumerate(zip(IDS, SYMBOLS, strict=True), 1)]
    return "\n".join([*first, *rows]) + "\n"


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("features.tsv", lines(lambda _, i, s: f'"{i}"\t"{s}"\t"{KIND}"'), "quotes in features.tsv, removed"),
        ("features.tsv", lines(lambda _, i, s: f'"{i}\t{s}\t{KIND}"'), "quotes in features.tsv, removed"),
        ("genes.tsv", lines(lambda _, i, s: f'"{i}"\t"{s}"'), "quotes in genes.tsv, removed"),
        ("genes.tsv", lines(lambda n, i, s: f'"{n}"\t"{i}"\t"{s}"', '"V1"\t"V2"'), "header of genes.tsv"),
        (
            "genes.tsv",
            lines(lambda _, i, s: f"{i}\t{s}", "gene_id\tgene_name"),
            "header of genes.tsv, left out: gene_id",
        ),
        ("genes.tsv", lines(lambda _, i, s: f"{i} {s}", "x"), "header of genes.tsv, left out: x"),
        ("genes.tsv", lines(lambda _, i, s: f"{s}_{i}"), "gene symbols and Ensembl ids in one cell, separated: 3"),
        ("features.tsv", lines(lambda _, i, s: f"{s}\t{i}\t{KIND}"), "columns of features.tsv, exchanged"),
        ("genes.tsv", lines(lambda _, i, s: f"{i}\t{s}\t17"), "genes.tsv has no feature types (17)"),
        ("genes.tsv", lines(lambda _, i, s: f"17\t{s}\t{i}"), "genes.tsv has no feature types"),
        (
            "features.tsv",
            lines(lambda _, i, s: f"GRCh38_{i}\tGRCh38_{s}\t{KIND}"),
            "genome before gene names, removed: 3",
        ),
        ("features.tsv", lines(lambda _, i, s: f"{i}.7\t{s.replace('-', '.')}\t{KIND}"), "gene symbols changed by R"),
        ("genes.txt", lines(lambda _, i, s: f"{i}\t{s}"), ""),
        ("GSM1_A_genes.txt", lines(lambda _, i, s: f"{i}\t{s}"), ""),
        ("features.csv", lines(lambda _, i, s: f'{i},{s},"{KIND}"', "id,symbol,type"), "header of features.csv"),
        ("genes.csv", lines(lambda n, i, s: f"{n};{i};{s}", ";gene;symbol"), "header of genes.csv"),
    ],
)
def test_a_list_of_genes_is_read_whoever_wrote_it(folder: Path, name: str, text: str, note: str) -> None:
    (folder / name).write_text(text)
    _, genes = read(folder)
    assert list(genes.var["symbol"]) == list(genes.var.index) == SYMBOLS
    assert list(genes.var["gene_id"]) == IDS
    assert any(sentence.startswith(note) for sentence in genes.notes) if note else genes.notes == ()


def test_a_usual_list_of_features_has_no_note(folder: Path) -> None:
    (folder / "features.tsv").write_text(lines(lambda _, i, s: f"{i}\t{s}\t{KIND}"))
    assert read(folder)[1].notes == ()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('"x"\n"AAAC-1"\n"AAAG-1"\n"AAAT-1"\n"AACC-1"\n', "header of barcodes.tsv, left out: x"),
        ('"1"\t"AAAC-1"\n"2"\t"AAAG-1"\n"3"\t"AAAT-1"\n"4"\t"AACC-1"\n', "quotes in barcodes.tsv, removed"),
    ],
)
def test_barcodes_lose_quotes_header_and_row_numbers(folder: Path, text: str, note: str) -> None:
    (folder / "barcodes.tsv").write_text(text)
    (folder / "genes.tsv").write_text(lines(lambda _, i, s: f"{i}\t{s}"))
    barcodes, genes = read(folder)
    assert barcodes == [name.encode() for name in BARCODES]
    assert note in genes.notes


def test_a_first_gene_is_no_header(folder: Path) -> None:
    (folder / "genes.tsv").write_text(lines(lambda _, i, s: f"{i}\t{s}", "ENSG00000000003\tTSPAN6"))
    with pytest.raises(CountsError, match="is 3 x 4, but there are 4 features and 4 barcodes"):
        read(folder)


def test_names_of_several_genomes_are_kept_apart(folder: Path) -> None:
    rows = (f"GRCh38_{IDS[0]}\tGRCh38_ERBB2", "mm10_ENSMUSG00000056215\tmm10_H2-K1", f"GRCh38_{IDS[2]}\tGRCh38_TP53")
    (folder / "genes.tsv").write_text("\n".join(rows) + "\n")
    with pytest.raises(CountsError, match="has genes of 2 genomes: GRCh38, mm10"):
        read(folder)
    assert list(read(folder, "GRCh38")[1].var["symbol"]) == ["ERBB2", "TP53"]


def test_features_of_another_type_are_still_left_out(tmp_path: Path) -> None:
    matrix = Matrix(COUNTS, BARCODES, SYMBOLS, IDS)
    genes = read(write_mex(tmp_path / "m", replace(matrix, kinds=["Gene Expression", "gene expression", "Peaks"])))[1]
    assert list(genes.var["symbol"]) == SYMBOLS[:2]
    with pytest.raises(CountsError, match=r"counts no genes, only Peaks \(3\)"):
        read(write_mex(tmp_path / "n", replace(matrix, kinds=["Peaks"] * 3)))


def test_two_lists_of_genes_of_other_samples_are_not_guessed(folder: Path) -> None:
    for sample in "AB":
        (folder / f"{sample}_genes.txt").write_text(lines(lambda _, i, s: f"{i}\t{s}"))
    with pytest.raises(MissingFile, match=r"has no features.tsv or features.tsv.gz"):
        read(folder)
