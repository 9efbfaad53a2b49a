"""Columns of symbols and of Ensembl ids are detected by their values."""

from pathlib import Path
from typing import Any

import h5py
import pandas as pd
import pytest
from bundles.anndata_file import tissue_object, write_anndata

from spacrd_core.errors import CountsError, InputError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.genes import read_genes
from spacrd_readers.anndata.reader import AnnData

OBJECT = tissue_object(picture=False)
SYMBOLS, IDS = list(OBJECT.var_names), list(OBJECT.var["gene_ids"])


def read(tmp_path: Path, index: list[str], columns: dict[str, Any]) -> Section:
    adata = OBJECT.copy()
    adata.var = pd.DataFrame(columns, index=pd.Index(index))
    return AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S1.h5ad"), ImageInputs(with_image=False))


@pytest.mark.ci_cases(5)
@pytest.mark.parametrize(
    ("index", "columns"),
    [
        (SYMBOLS, {"gene_ids": IDS}),
        (SYMBOLS, {"gene_id": IDS}),
        (SYMBOLS, {"ensembl_id": [f"{name}.{place}" for place, name in enumerate(IDS)]}),
        (IDS, {"gene_symbols": SYMBOLS}),
        (IDS, {"feature_name": pd.Categorical(SYMBOLS), "feature_biotype": "gene", "feature_type": "protein_coding"}),
        (IDS, {"gene_ids": IDS, "symbol": SYMBOLS}),
        ([str(index) for index in range(12)], {"gene_name": SYMBOLS, "feature_id": IDS}),
        (SYMBOLS, {"name": IDS, "feature_id": IDS}),
        (SYMBOLS, {"ENSEMBL": IDS}),
        (SYMBOLS, {"Accession": IDS}),
        ([str(index) for index in range(12)], {"external": SYMBOLS, "Accession": IDS, "biotype": "protein_coding"}),
        ([f"{symbol}_{gene_id}" for symbol, gene_id in zip(SYMBOLS, IDS, strict=True)], {}),
        (IDS, {"feature_name": [f"{symbol} {gene_id}" for symbol, gene_id in zip(SYMBOLS, IDS, strict=True)]}),
        ([f'"{symbol}"' for symbol in SYMBOLS], {"gene_ids": [f'"{gene_id}"' for gene_id in IDS]}),
        ([f"hg38_{symbol}" for symbol in SYMBOLS], {"gene_ids": [f"hg38_{gene_id}.2" for gene_id in IDS]}),
    ],
)
def test_symbols_and_ensembl_ids_are_detected_in_any_column(
    tmp_path: Path, index: list[str], columns: dict[str, Any]
) -> None:
    var = read(tmp_path, index, columns).counts.var
    assert list(var.index) == list(var["symbol"]) == SYMBOLS
    assert list(var["gene_id"]) == IDS


def test_genes_without_ensembl_ids_have_none(tmp_path: Path) -> None:
    var = read(tmp_path, SYMBOLS, {"gene_ids": SYMBOLS, "mt": False}).counts.var
    assert list(var["symbol"]) == SYMBOLS
    assert set(var["gene_id"]) == {""}


def test_genes_with_ensembl_ids_alone_are_called_by_them(tmp_path: Path) -> None:
    var = read(tmp_path, IDS, {}).counts.var
    assert list(var["symbol"]) == list(var["gene_id"]) == IDS


def test_a_gene_without_a_symbol_is_called_by_its_id(tmp_path: Path) -> None:
    var = read(tmp_path, IDS, {"feature_name": [None, " ", *SYMBOLS[2:]]}).counts.var
    assert list(var["symbol"]) == [*IDS[:2], *SYMBOLS[2:]]


def test_symbols_of_several_genes_stay_apart_by_their_ids(tmp_path: Path) -> None:
    section = read(tmp_path, IDS, {"symbol": ["ERBB2", *SYMBOLS[:1], *SYMBOLS[2:]]})
    assert list(section.counts.var_names) == [*IDS[:2], *SYMBOLS[2:]]
    assert list(section.counts.var["symbol"])[:2] == ["ERBB2", "ERBB2"]
    (note,) = section.notes
    assert note.startswith("symbols shared by several genes")
    assert note.endswith(": 1 (ERBB2)")
    assert section.counts.n_vars == OBJECT.n_vars


def test_names_that_are_not_unique_are_numbered(tmp_path: Path) -> None:
    genes = read_genes(pd.DataFrame(index=["A", "A", "A.1"]), tmp_path)
    assert list(genes.var.index) == ["A", "A.1", "A.1.1"]
    assert list(genes.var["symbol"]) == ["A", "A", "A.1"]


def test_features_that_are_not_genes_are_left_out_and_reported(tmp_path: Path) -> None:
    kinds = ["Antibody Capture", "Negative Control Probe", "Antibody Capture", *["Gene Expression"] * 8, None]
    section = read(tmp_path, SYMBOLS, {"feature_types": pd.Categorical(kinds)})
    assert list(section.counts.var_names) == SYMBOLS[3:]
    (note,) = section.notes
    assert "left out: Antibody Capture (2), Negative Control Probe (1)" in note
    assert (OBJECT.X[:, 3:] != section.counts.X).nnz == 0


def test_an_object_without_genes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CountsError) as caught:
        read(tmp_path, SYMBOLS, {"feature_types": "Antibody Capture"})
    assert f"{tmp_path / 'S1.h5ad'} counts no genes, only Antibody Capture (12)" in str(caught.value)


def test_a_matrix_of_other_genes_than_named_is_refused(tmp_path: Path) -> None:
    path = write_anndata(OBJECT, tmp_path / "S1.h5ad")
    with h5py.File(path, "r+") as file:
        file["X"].attrs["shape"] = [OBJECT.n_obs, 13]
    with pytest.raises(InputError) as caught:
        AnnData(AnnData.Options()).read(path, ImageInputs())
    assert f"X of {path} counts 13 genes, var names 12" in str(caught.value)
