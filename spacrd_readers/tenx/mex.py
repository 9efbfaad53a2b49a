"""10x matrices in Market Exchange Format: a folder with matrix.mtx, barcodes.tsv and features.tsv, gzipped or not."""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError, MissingFile
from spacrd_core.tables import GZIP_MAGIC, read_text
from spacrd_readers.tenx.blocks import GENE_EXPRESSION, MAX_BLOCK_VALUES, Block, feature_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

COPY_AGAIN = "copy or download it again"
DEPOSITED_SUFFIXES = (".gz", ".tsv", ".mtx")
ENTRIES = "matrix.mtx"
ENTRIES_NAME = re.compile(r"(?!\.)(.*[_.-])?matrix\.mtx(\.gz)?")
ENTRY_COLUMNS = ["feature", "barcode", "count"]


@dataclass(frozen=True, eq=False)
class MexMatrix:
    """An open matrix; ``path`` is its folder, or one file of a folder with several matrices."""

    path: Path
    barcodes: NDArray[np.bytes_]
    features: pd.DataFrame
    entries: Path

    def blocks(self) -> Iterator[Block]:
        """Yield all counts, in the order of the file.

        Raises
        ------
        CountsError
            If the shape of the matrix does not match its barcodes and features, or the file is truncated.
        """
        with _open(self.entries) as stream:
            total, count = self._total(stream), 0
            for block in self._read(stream):
                count += len(block.values)
                yield block
        if count != total:
            raise CountsError(f"{self.entries} declares {total} counts and holds {count}", hint=COPY_AGAIN)

    def _total(self, stream: IO[bytes]) -> int:
        line = next(line for line in stream if not line.startswith(b"%"))
        try:
            features, barcodes, total = map(int, line.split())
        except ValueError as error:
            raise CountsError(f"{self.entries} is not in Market Exchange Format", hint=COPY_AGAIN) from error
        if (features, barcodes) != (len(self.features), len(self.barcodes)):
            raise CountsError(
                f"{self.entries} is {features} x {barcodes}, but there are {len(self.features)} features and "
                f"{len(self.barcodes)} barcodes beside it",
                hint="give a folder whose three files are of one matrix",
            )
        return total

    def _read(self, stream: IO[bytes]) -> Iterator[Block]:
        try:
            with pd.read_csv(
                stream, sep=r"\s+", header=None, names=ENTRY_COLUMNS, chunksize=MAX_BLOCK_VALUES
            ) as chunks:
                for chunk in chunks:
                    if chunk.isna().to_numpy().any():
                        raise CountsError(f"{self.entries} is damaged: a line is truncated", hint=COPY_AGAIN)
                    feature, barcode, count = (chunk[name].to_numpy() for name in ENTRY_COLUMNS)
                    yield Block(barcode.astype(np.int64) - 1, feature.astype(np.int64) - 1, count)
        except pd.errors.EmptyDataError:
            return
        except (pd.errors.ParserError, ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            if isinstance(error, CountsError):
                raise
            raise CountsError(f"{self.entries} is damaged: {error}", hint=COPY_AGAIN) from error


@contextmanager
def open_mex(path: Path) -> Iterator[TenxMatrix]:
    """Open a MEX folder, or the matrix of a folder with the files of several samples: ``<sample>_matrix.mtx.gz``.

    Raises
    ------
    MissingFile
        If one of its three files is missing.
    CountsError
        If one of them is damaged.
    """
    folder, prefix = (path, "") if path.is_dir() else (path.parent, path.name.partition(ENTRIES)[0])
    barcodes = _column(_table(_find(folder, prefix, "barcodes.tsv"), "barcodes"), 0)
    features = _table(_find(folder, prefix, "features.tsv", "genes.tsv"), "features")
    ids = _column(features, 0)
    symbols = _column(features, 1) if features.shape[1] > 1 else ids
    kinds = _column(features, 2) if features.shape[1] > 2 else GENE_EXPRESSION
    table = feature_table(ids, symbols, kinds)
    yield MexMatrix(path, np.asarray(barcodes, dtype=np.bytes_), table, _find(folder, prefix, ENTRIES))


def is_mex_folder(path: Path) -> bool:
    """Return whether a path is a folder with one matrix, by its names."""
    return path.is_dir() and len([file for file in path.iterdir() if ENTRIES_NAME.fullmatch(file.name)]) == 1


def _find(folder: Path, prefix: str, *names: str) -> Path:
    for name in names:
        for path in (folder / f"{prefix}{name}.gz", folder / f"{prefix}{name}"):
            if path.is_file():
                return path
    deposited = [path for name in names for path in sorted(folder.glob(f"[!.]*[_.-]{name}*")) if _is_deposited(path)]
    if len(deposited) == 1 and not prefix:  # its name has a sample prefix
        return deposited[0]
    raise MissingFile(f"the matrix folder {folder} has no {prefix}{names[0]} or {prefix}{names[0]}.gz", hint=COPY_AGAIN)


def _is_deposited(path: Path) -> bool:
    return path.suffix in DEPOSITED_SUFFIXES


def _table(path: Path, role: str) -> pd.DataFrame:
    lines = read_text(path, f"list of {role}", CountsError).splitlines()
    return pd.DataFrame([line.split("\t") for line in lines if line]).fillna("")


def _column(table: pd.DataFrame, number: int) -> list[str]:
    return [str(cell) for cell in table[number]]


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if is_gzip else path.open("rb")
