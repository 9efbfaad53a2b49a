"""10x matrices in Market Exchange Format: a folder with matrix.mtx, barcodes.tsv and features.tsv, gzipped or not."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError, MissingFile
from spacrd_core.opening.inflate import GZIP_ERRORS, open_inflated
from spacrd_core.opening.names import as_bytes
from spacrd_readers.tenx.blocks import COPY_AGAIN, MAX_BLOCK_VALUES, Block, require_ascii
from spacrd_readers.tenx.name_files import read_barcodes, read_features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

MATRIX = "matrix.mtx"
ENTRIES = (".mtx.gz", ".mtx")
ENTRIES_NAME = re.compile(r"(?!\.)(.*[_.-])?matrix\.mtx(\.gz)?")
NAMES = (".tsv.gz", ".tsv", ".txt.gz", ".txt", ".csv.gz", ".csv")
ENTRY_COLUMNS = ["feature", "barcode", "count"]
MAX_LINE_BYTES = 2**16  # of a comment; those of tools have a hundred
DAMAGED_FILE_ERRORS = (pd.errors.ParserError, ValueError, OverflowError, OSError, MemoryError, *GZIP_ERRORS)


@dataclass(frozen=True, eq=False)
class MexMatrix:
    """An open matrix; ``path`` is its folder, or one file of a folder with several matrices."""

    path: Path
    barcodes: NDArray[np.bytes_]
    features: pd.DataFrame
    entries: Path
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """Yield all counts, in the order of the file.

        Raises
        ------
        CountsError
            If the shape of the matrix does not match its barcodes and features, or the file is truncated.
        """
        with open_inflated(self.entries, CountsError) as stream:
            total, count = self._total(stream), 0
            for block in self._read(stream):
                count += len(block.values)
                if count > total:
                    break
                yield block
        if count != total:
            more = " or more" if count > total else ""
            raise CountsError(f"{self.entries} declares {total} counts and holds {count}{more}", hint=COPY_AGAIN)

    def _total(self, stream: IO[bytes]) -> int:
        features, barcodes, total = _sizes(stream)
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
                    if count.dtype.kind not in "iuf":
                        raise CountsError(f"{self.entries} has counts that are not numbers", hint=COPY_AGAIN)
                    yield Block(barcode.astype(np.int64) - 1, feature.astype(np.int64) - 1, count)
        except pd.errors.EmptyDataError:
            return
        except DAMAGED_FILE_ERRORS as error:
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
    folder, prefix = (path, "") if path.is_dir() else (path.parent, path.name.partition(MATRIX)[0])
    barcodes_file = _find(folder, prefix, NAMES, "barcodes")
    features_file = _find(folder, prefix, NAMES, "features", "genes")
    entries = _find(folder, prefix, ENTRIES, "matrix")
    feature_count, barcode_count, _ = _declared_sizes(entries)
    barcodes, barcode_notes = read_barcodes(barcodes_file, barcode_count)
    features, feature_notes = read_features(features_file, feature_count)
    notes = (*barcode_notes, *feature_notes)
    yield MexMatrix(path, require_ascii(as_bytes(barcodes, barcodes_file), path), features, entries, notes)


def is_mex_folder(path: Path) -> bool:
    """Return whether a path is a folder with one matrix, by its names."""
    return path.is_dir() and len([file for file in path.iterdir() if ENTRIES_NAME.fullmatch(file.name)]) == 1


def _find(folder: Path, prefix: str, suffixes: Sequence[str], *stems: str) -> Path:
    names = [stem + suffix for stem in stems for suffix in suffixes]
    for name in names:
        if (folder / f"{prefix}{name}").is_file():
            return folder / f"{prefix}{name}"
    deposited = [path for name in names for path in sorted(folder.glob(f"[!.]*[_.-]{name}")) if path.is_file()]
    if len(deposited) == 1 and not prefix:  # its name has a sample prefix
        return deposited[0]
    raise MissingFile(f"the matrix folder {folder} has no {prefix}{names[1]} or {prefix}{names[0]}", hint=COPY_AGAIN)


def _declared_sizes(entries: Path) -> list[int]:
    """Return the numbers of features, barcodes and counts that a matrix declares.

    Raises
    ------
    CountsError
        If it is damaged.
    """
    try:
        with open_inflated(entries, CountsError) as stream:
            return _sizes(stream)
    except DAMAGED_FILE_ERRORS as error:
        if isinstance(error, CountsError):
            raise
        raise CountsError(f"{entries} is not in Market Exchange Format: {error}", hint=COPY_AGAIN) from error


def _sizes(stream: IO[bytes]) -> list[int]:
    """Return the three numbers in the first line that is not a comment.

    Raises
    ------
    ValueError
        If there is no such line, or it holds something else.
    """
    line = b"%"
    while line.startswith(b"%"):
        line = stream.readline(MAX_LINE_BYTES)
    sizes = [int(number) for number in line.split()]
    if len(sizes) != 3:
        raise ValueError("no line has its numbers of features, barcodes and counts")
    return sizes
