"""10x matrices in Market Exchange Format: a folder with matrix.mtx, barcodes.tsv and features.tsv, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError, MissingFile
from spacrd_core.tables import GZIP_MAGIC, read_text
from spacrd_readers.tenx.blocks import GENES, MOST, Block, feature_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

AGAIN = "copy or download it again"
SUFFIXES = (".gz", ".tsv", ".mtx")
ENTRY = ["feature", "barcode", "count"]


@dataclass(frozen=True, eq=False)
class MexMatrix:
    """An open MEX folder."""

    path: Path
    barcodes: NDArray[np.bytes_]
    features: pd.DataFrame
    entries: Path

    def blocks(self) -> Iterator[Block]:
        """Yield all counts, in the order of the file.

        Raises
        ------
        CountsError
            If the file does not have the shape its barcodes and features give it, or ends too early.
        """
        with _open(self.entries) as stream:
            total, found = self._total(stream), 0
            for block in self._read(stream):
                found += len(block.values)
                yield block
        if found != total:
            raise CountsError(f"{self.entries} announces {total} counts and holds {found}", hint=AGAIN)

    def _total(self, stream: IO[bytes]) -> int:
        line = next(line for line in stream if not line.startswith(b"%"))
        try:
            features, barcodes, total = map(int, line.split())
        except ValueError as error:
            raise CountsError(f"{self.entries} is no matrix in Market Exchange Format", hint=AGAIN) from error
        if (features, barcodes) != (len(self.features), len(self.barcodes)):
            raise CountsError(
                f"{self.entries} is {features} x {barcodes}, beside it are {len(self.features)} features and "
                f"{len(self.barcodes)} barcodes",
                hint="the three files must be of one matrix",
            )
        return total

    def _read(self, stream: IO[bytes]) -> Iterator[Block]:
        try:
            with pd.read_csv(stream, sep=r"\s+", header=None, names=ENTRY, chunksize=MOST) as chunks:
                for chunk in chunks:
                    if chunk.isna().to_numpy().any():
                        raise CountsError(f"{self.entries} is damaged: a line is cut short", hint=AGAIN)
                    feature, barcode, count = (chunk[name].to_numpy() for name in ENTRY)
                    yield Block(barcode.astype(np.int64) - 1, feature.astype(np.int64) - 1, count)
        except pd.errors.EmptyDataError:
            return
        except (pd.errors.ParserError, ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            if isinstance(error, CountsError):
                raise
            raise CountsError(f"{self.entries} is damaged: {error}", hint=AGAIN) from error


@contextmanager
def open_mex(folder: Path) -> Iterator[TenxMatrix]:
    """Open a MEX folder.

    Raises
    ------
    MissingFile
        If one of its three files is not there.
    CountsError
        If one of them is damaged.
    """
    barcodes = _column(_table(_find(folder, "barcodes.tsv"), "barcodes"), 0)
    features = _table(_find(folder, "features.tsv", "genes.tsv"), "features")
    ids = _column(features, 0)
    symbols = _column(features, 1) if features.shape[1] > 1 else ids
    kinds = _column(features, 2) if features.shape[1] > 2 else GENES
    table = feature_table(ids, symbols, kinds)
    yield MexMatrix(folder, np.asarray(barcodes, dtype=np.bytes_), table, _find(folder, "matrix.mtx"))


def _find(folder: Path, *names: str) -> Path:
    for name in names:
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                return path
    deposited = [path for name in names for path in sorted(folder.glob(f"*[_.-]{name}*")) if path.suffix in SUFFIXES]
    if len(deposited) == 1:  # with a sample's name before its own
        return deposited[0]
    raise MissingFile(f"the matrix folder {folder} has no {names[0]} or {names[0]}.gz", hint=AGAIN)


def _table(path: Path, role: str) -> pd.DataFrame:
    lines = read_text(path, f"list of {role}", CountsError).splitlines()
    return pd.DataFrame([line.split("\t") for line in lines if line]).fillna("")


def _column(table: pd.DataFrame, number: int) -> list[str]:
    return [str(cell) for cell in table[number]]


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")
