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
GIVE_ANNDATA = f"give {ANNDATA}, and --um-per-px 1"


@dataclass(frozen=True)
class Platform:
    """A platform that is not read.

    Attributes
    ----------
    remedy
        What to do.
    files
        A pattern of the names of its files, in lower case.
    columns
        Sets of columns, in lower case, that identify its tables under any name.
    """

    name: str
    remedy: str
    files: str
    columns: tuple[frozenset[str], ...] = ()


def _convert(function: str, um_per_px: str = "1 if its coordinates are in um") -> str:
    """Return the remedy for a platform that spatialdata-io reads."""
    return (
        f"write it with spatialdata-io (spatialdata_io.{function}) as SpatialData, and ingest that folder; if nothing "
        f"in it states um, add --um-per-px {um_per_px}"
    )


PLATFORMS = (
    Platform(
        "CosMx (NanoString)",
        _convert("cosmx", "0.12028"),
        r".*_(exprmat_file|metadata_file|fov_positions_file|tx_file)\.csv(\.gz)?|.*-polygons\.csv(\.gz)?",
        (frozenset({"fov", "cell_id"}),),
    ),
    Platform(
        "MERSCOPE (MERFISH, Vizgen)",
        _convert("merscope"),
        r"(.*_)?(cell_by_gene|detected_transcripts)\.(csv|parquet)(\.gz)?|.*\.vzg2?",
        (frozenset({"global_x", "global_y"}), frozenset({"fov", "center_x", "center_y"})),
    ),
    Platform("Stereo-seq", _convert("stereoseq", "0.5"), r".*\.(gef|gem)(\.gz)?", (frozenset({"geneid", "x", "y"}),)),
    Platform(
        "Curio Seeker",
        f"its *_anndata.h5ad may be read as it is; or else {GIVE_ANNDATA}",
        r".*(matchedbeadlocation\.csv|moleculespermatchedbead|spatial_moransi\.txt).*",
    ),
    Platform(
        "Slide-seq",
        GIVE_ANNDATA,
        r".*(beadlocations|bead_locations?|mappeddge)\w*\.(csv|txt|tsv)(\.gz)?",
        (frozenset({"xcoord", "ycoord"}),),
    ),
    Platform(
        "seqFISH (Spatial Genomics)",
        _convert("seqfish"),
        r"(.*_)?(cxg|cellcoordinates|transcriptlist|transcriptcoordinates)(_.*)?\.csv(\.gz)?",
    ),
    Platform(
        "GeoMx DSP (NanoString)",
        f"it measures regions that users choose, not spots; to read regions as spots, {GIVE_ANNDATA}",
        r".*\.(dcc|pkc)(\.gz)?",
    ),
    Platform(
        "nCounter (NanoString)",
        "it measures whole samples, without the positions that a section needs",
        r".*\.rcc(\.gz)?",
    ),
    Platform("Open-ST", GIVE_ANNDATA, r".*(open[-_]?st[-_.]|spacemake|puck_collection).*"),
)


def unread_platform(path: Path) -> UnrecognisedSection | None:
    """Return the error for a file or folder of a platform that is not read; None if it is of none of them."""
    for file in _files(path):
        for platform in PLATFORMS:
            if re.fullmatch(platform.files, file.name.casefold()):
                return _error(path, file, platform)
    columns = _columns(path)
    return next((_error(path, path, it) for it in PLATFORMS if any(own <= columns for own in it.columns)), None)


def _error(path: Path, file: Path, platform: Platform) -> UnrecognisedSection:
    where = "" if file == path else f" (it holds {file.relative_to(path)})"
    return UnrecognisedSection(
        f"{path} is data of {platform.name}{where}, a platform that is not read", hint=platform.remedy
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
