"""File formats shared by the 10x platforms: the HDF5 matrix, and H&E as TIFF."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import tifffile
from PIL import Image
from scipy import sparse

from spacrd_core.demo.genes import GENES, IDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_core.demo.stain import Picture

GENE = "Gene Expression"
TIFF_OPTIONS: dict[str, Any] = {
    "photometric": "rgb",
    "tile": (256, 256),
    "compression": "jpeg",
    "compressionargs": {"level": 85},
}
FILE_UUID = "urn:uuid:5bacfd00-0000-4000-8000-000000000000"  # fixed, so that one seed gives the same bytes

Feature = tuple[str, str, str]  # id, name, feature type


def genes(symbols: Sequence[str]) -> list[Feature]:
    """Return matrix features for gene symbols."""
    ids = dict(zip(GENES, IDS, strict=True))
    return [(ids[symbol], symbol, GENE) for symbol in symbols]


def write_matrix(
    path: Path, counts: NDArray[np.int64], barcodes: Sequence[str], features: Sequence[Feature], *, software: str
) -> None:
    """Write counts (barcodes x features) as a feature-barcode matrix of Cell Ranger 3 and later."""
    matrix = sparse.csr_matrix(counts)
    ids, names, feature_types = (np.array(column, dtype=np.bytes_) for column in zip(*features, strict=True))
    arrays = {
        "barcodes": np.array(barcodes, dtype=np.bytes_),
        "data": matrix.data.astype(np.int32),
        "indices": matrix.indices.astype(np.int64),
        "indptr": matrix.indptr.astype(np.int64),
        "shape": np.array(matrix.shape[::-1], dtype=np.int32),
        "features/id": ids,
        "features/name": names,
        "features/feature_type": feature_types,
        "features/genome": np.full(len(ids), b"GRCh38"),
        "features/_all_tag_keys": np.array([b"genome"]),
    }
    buffer = io.BytesIO()  # HDF5 ends the process if the disk is full
    with h5py.File(buffer, "w") as file:
        file.attrs.update(filetype="matrix", version=2, software_version=software)
        for name, values in arrays.items():
            file.create_dataset(f"matrix/{name}", data=values, compression="gzip", compression_opts=4)
    path.write_bytes(buffer.getbuffer())


def write_tiff(path: Path, picture: Picture, *, um_per_px: float) -> None:
    """Write an image as a tiled TIFF with its um/px; as a pyramidal OME-TIFF if the name ends in ``.ome.tif``."""
    ome = path.name.endswith(".ome.tif")
    size = {"PhysicalSizeX": um_per_px, "PhysicalSizeY": um_per_px, "UUID": FILE_UUID, "axes": "YXS"}
    factors = (2, 4) if ome else ()
    with tifffile.TiffWriter(path, ome=ome) as file:
        per_cm = 1e4 / um_per_px
        resolution: dict[str, Any] = {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
        file.write(picture, subifds=len(factors), metadata=size if ome else None, **resolution, **TIFF_OPTIONS)
        for factor in factors:
            file.write(np.asarray(Image.fromarray(picture).reduce(factor)), subfiletype=1, **TIFF_OPTIONS)
