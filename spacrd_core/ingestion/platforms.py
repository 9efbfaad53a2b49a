"""Platforms whose files are not read: how to tell them, and how their data become readable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, UnrecognisedSection
from spacrd_core.tables import find_delimiter, read_beginning, split_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_NAMES = 2000  # of files in a folder and in the folders in it
MAX_COMMENTS = 20  # lines above the header of a table
TABLE_NAME = re.compile(r".*\.(csv|tsv|txt|gem)(\.gz)?", re.IGNORECASE)
ANNDATA = "AnnData (.h5ad) with raw counts in X and positions in um in obsm['spatial']"


@dataclass(frozen=True)
class Platform:
    """A platform that is not read.

    Attributes
    ----------
    files
        A pattern of the names of its files, in lower case.
    columns
        Columns, in lower case, that identify its tables under any name.
    converter
        The function of spatialdata-io that reads it, '' if there is none.
    """

    name: str
    files: str
    columns: frozenset[str] = frozenset()
    converter: str = ""

    @property
    def remedy(self) -> str:
        """What to do."""
        if not self.converter:
            return f"give {ANNDATA}"
        return f"read it with spatialdata_io.{self.converter} and give the SpatialData object, or give {ANNDATA}"


PLATFORMS = (
    Platform(
        "CosMx",
        r".*_(exprmat_file|metadata_file|fov_positions_file|tx_file)\.csv(\.gz)?|.*-polygons\.csv(\.gz)?",
        frozenset({"fov", "cell_id"}),
        "cosmx",
    ),
    Platform(
        "MERSCOPE (MERFISH)",
        r"(.*_)?(cell_by_gene|detected_transcripts|cell_metadata)\.(csv|parquet)(\.gz)?|.*\.vzg2?",
        frozenset({"global_x", "global_y"}),
        "merscope",
    ),
    Platform("Stereo-seq", r".*\.(gef|gem)(\.gz)?", frozenset({"geneid", "x", "y"}), "stereoseq"),
    Platform(
        "Curio Seeker",
        r".*(matchedbeadlocation\.csv|moleculespermatchedbead|spatial_moransi\.txt).*",
        converter="curio",
    ),
    Platform(
        "Slide-seq",
        r".*(beadlocations|bead_locations?|mappeddge|barcode_?locations)\w*\.(csv|txt|tsv)(\.gz)?"
        r"|.*digital_expression.*\.txt(\.gz)?",
        frozenset({"xcoord", "ycoord"}),
    ),
    Platform(
        "seqFISH",
        r"(.*_)?(cxg|cellcoordinates|transcriptlist|transcriptcoordinates)(_.*)?\.csv(\.gz)?",
        converter="seqfish",
    ),
    Platform("GeoMx DSP", r".*\.(dcc|pkc)(\.gz)?"),
    Platform("nCounter (NanoString)", r".*\.rcc(\.gz)?"),
    Platform("Open-ST", r".*(open[-_]?st[-_.]|spacemake|puck_collection).*"),
)


def unread_platform(path: Path) -> UnrecognisedSection | None:
    """Return the error for a file or folder of a platform that is not read; None if it is of none of them."""
    for file in _files(path):
        for platform in PLATFORMS:
            if re.fullmatch(platform.files, file.name.casefold()):
                return _error(path, file, platform)
    columns = _columns(path)
    return next((_error(path, path, it) for it in PLATFORMS if it.columns and it.columns <= columns), None)


def _error(path: Path, file: Path, platform: Platform) -> UnrecognisedSection:
    where = "" if file == path else f" (it holds {file.relative_to(path)})"
    return UnrecognisedSection(
        f"{path} is of {platform.name}{where}, a platform that is not read", hint=platform.remedy
    )


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files of a folder and of the folders in it, without hidden ones."""
    if path.is_dir():
        files = (file for pattern in ("[!.]*", "[!.]*/[!.]*") for file in path.glob(pattern))
        yield from sorted(islice(files, MAX_NAMES))
    else:
        yield path


def _columns(path: Path) -> set[str]:
    """Return the names of a table's columns in lower case; none if it is not a table."""
    if not path.is_file() or not TABLE_NAME.fullmatch(path.name):
        return set()
    try:
        lines = read_beginning(path, "table").splitlines()[:MAX_COMMENTS]
    except InputError:
        return set()
    header = next((line for line in lines if not line.startswith("#")), "")
    return {name.casefold() for name in split_header(header, find_delimiter(header))[0]}
