"""The three formats of a 10x feature-barcode matrix, in the variants that occur."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import pandas as pd
import zarr
from scipy import sparse
from zarr.storage import ZipStore

ATTRIBUTES = {"filetype": "matrix", "version": "2", "software_version": "spaceranger-2.1.0", "library_ids": "one"}


@dataclass(frozen=True)
class H5Variant:
    """Options for writing a matrix to HDF5."""

    attributes: Literal["absent", "bytes", "str", "arrays"] = "str"
    data: str = "int32"
    indices: str = "int64"
    strings: Literal["fixed", "variable"] = "fixed"
    compression: Literal["gzip"] | None = None


@dataclass(frozen=True, eq=False)
class Matrix:
    """Counts, barcodes x features, and the names of both axes."""

    counts: Any
    barcodes: Sequence[str]
    symbols: Sequence[str]
    ids: Sequence[str]
    kinds: Sequence[str] = ()
    genomes: Sequence[str] = ()
    variant: H5Variant = field(default_factory=H5Variant)

    @property
    def rows(self) -> sparse.csr_matrix:
        """The counts as CSR."""
        return sparse.csr_matrix(self.counts)

    @property
    def features(self) -> pd.DataFrame:
        """One row per feature; genes of GRCh38 by default."""
        kinds = list(self.kinds) or ["Gene Expression"] * len(self.ids)
        genomes = list(self.genomes) or ["GRCh38"] * len(self.ids)
        return pd.DataFrame({"id": self.ids, "name": self.symbols, "feature_type": kinds, "genome": genomes})


def write_h5(path: Path, matrix: Matrix) -> Path:
    """Write ``filtered_feature_bc_matrix.h5`` or ``cell_feature_matrix.h5`` as Cell Ranger 3 and later do."""
    rows, variant = matrix.rows, matrix.variant
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        _write_attributes(file, variant)
        group = file.create_group("matrix")
        _write_texts(group, "barcodes", matrix.barcodes, variant)
        group.create_dataset("data", data=rows.data.astype(variant.data), compression=variant.compression)
        indices = rows.indices.astype(variant.indices)
        group.create_dataset("indices", data=indices, compression=variant.compression)
        group["indptr"] = rows.indptr.astype(variant.indices)
        group["shape"] = np.array(rows.shape[::-1], dtype=np.int32)
        features = group.create_group("features")
        for name, column in matrix.features.items():
            _write_texts(features, str(name), list(column), variant)
        _write_texts(features, "_all_tag_keys", ["genome"], variant)
    return path


def write_h5_by_genome(path: Path, matrices: dict[str, Matrix]) -> Path:
    """Write a matrix as Cell Ranger 2 does, with one group per genome."""
    with h5py.File(path, "w") as file:
        for genome, matrix in matrices.items():
            group, rows = file.create_group(genome), matrix.rows
            for name, texts in (("barcodes", matrix.barcodes), ("genes", matrix.ids), ("gene_names", matrix.symbols)):
                _write_texts(group, name, texts, matrix.variant)
            group["data"], group["indices"], group["indptr"] = rows.data, rows.indices, rows.indptr
            group["shape"] = np.array(rows.shape[::-1])
    return path


def write_probes(path: Path, matrix: Matrix) -> Path:
    """Write a ``raw_probe_bc_matrix.h5``, which has probes instead of genes."""
    write_h5(path, matrix)
    with h5py.File(path, "a") as file:
        features = file["matrix/features"]
        for name, texts in (("gene_id", matrix.ids), ("gene_name", matrix.symbols)):
            _write_texts(features, name, texts, matrix.variant)
        _write_texts(features, "probe_region", ["spliced"] * len(matrix.ids), matrix.variant)
    return path


def write_mex(folder: Path, matrix: Matrix, *, packed: bool = True) -> Path:
    """Write ``matrix.mtx``, ``barcodes.tsv`` and ``features.tsv``, optionally gzipped."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = matrix.rows.tocoo()
    lines = ["%%MatrixMarket matrix coordinate integer general", '%metadata_json: {"format_version": 2}']
    lines.append(f"{len(matrix.ids)} {len(matrix.barcodes)} {entries.nnz}")
    lines += [f"{c + 1} {r + 1} {v}" for r, c, v in zip(entries.row, entries.col, entries.data, strict=True)]
    features = matrix.features
    rows = zip(features["id"], features["name"], features["feature_type"], strict=True)
    texts = {
        "matrix.mtx": lines,
        "barcodes.tsv": list(matrix.barcodes),
        "features.tsv": ["\t".join(row) for row in rows],
    }
    for name, content in texts.items():
        data = ("\n".join(content) + "\n").encode()
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return folder


def write_zarr(path: Path, matrix: Matrix, cell_ids: Any) -> Path:
    """Write ``cell_feature_matrix.zarr.zip``: features x cells, feature by feature, zarr version 2.

    ``cell_ids`` are (prefix, suffix) pairs, or the integers of early bundles.
    """
    by_feature = sparse.csr_matrix(matrix.rows.T)
    with ZipStore(path, mode="w") as store:
        attributes = {
            "feature_keys": list(matrix.symbols),
            "feature_ids": list(matrix.ids),
            "feature_types": list(matrix.features["feature_type"]),
            "number_cells": len(matrix.barcodes),
            "number_features": len(matrix.ids),
        }
        root = zarr.open_group(store, mode="w", zarr_format=2)
        group = root.create_group("cell_features", attributes=attributes)
        group.create_array("cell_id", data=np.asarray(cell_ids, dtype=np.uint32))
        group.create_array("data", data=by_feature.data.astype(np.uint32))
        group.create_array("indices", data=by_feature.indices.astype(np.uint32))
        group.create_array("indptr", data=by_feature.indptr.astype(np.uint32))
    return path


def _write_attributes(file: h5py.File, variant: H5Variant) -> None:
    if variant.attributes == "absent":
        return
    for key, value in ATTRIBUTES.items():
        shown = {"bytes": np.bytes_(value), "str": value, "arrays": np.array([value.encode()])}
        file.attrs[key] = shown[variant.attributes]


def _write_texts(group: Any, name: str, texts: Sequence[str], variant: H5Variant) -> None:
    if variant.strings == "variable":
        group.create_dataset(name, data=list(texts), dtype=h5py.string_dtype())
    else:
        group[name] = np.array([text.encode() for text in texts], dtype=np.bytes_)
