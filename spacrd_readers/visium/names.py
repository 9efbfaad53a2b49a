"""What the files of a Visium section are called, in a run and in depositions that put a sample's name before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

START = r"(?P<start>.*[_.-])?"
MATRICES = (  # the first kind that is there is read
    rf"{START}filtered_feature_bc_matrix\.h5",
    rf"{START}filtered_feature_bc_matrix",
    rf"{START}raw_feature_bc_matrix\.h5",
    rf"{START}raw_feature_bc_matrix",
)
LOOSE = rf"{START}matrix\.mtx(\.gz)?"
PROBES = rf"{START}raw_probe_bc_matrix\.h5"
SPATIAL = rf"{START}spatial"
POSITIONS = (
    rf"{START}tissue_positions\.(csv|csv\.gz|parquet|tsv|tsv\.gz)",
    rf"{START}tissue_positions_list\.(csv|csv\.gz|parquet|tsv|tsv\.gz)",
)
SCALEFACTORS = rf"{START}scalefactors_json\.json(\.gz)?"
OUTS = rf"{START}outs"
ARCHIVE = rf"{START}spatial\.(tar\.gz|tgz|tar|zip)"
HD_FOLDER = r"(.*_)?square_\d{3}um"


def named(folder: Path, pattern: str) -> list[Path]:
    """Return what a folder holds by names of a pattern, hidden files and what is aggregated from several runs aside."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if re.fullmatch(pattern, path.name))
    return sorted(path for path in found if not path.name.startswith((".", "aggr_")))


def start_of(path: Path, *patterns: str) -> str:
    """Return what stands before the plain name of a file: ``GSM1234_A_``, or ''."""
    found = next((match for pattern in patterns if (match := re.fullmatch(pattern, path.name))), None)
    return (found["start"] or "") if found else ""


def of_sample(paths: Iterable[Path], pattern: str, start: str) -> Path | None:
    """Return the file of the sample whose names begin with ``start``: so named, or plainly, or the only one there is.

    Raises
    ------
    MissingFile
        If only other samples' files are there, or several and none is plain.
    """
    starts = {path: start_of(path, pattern) for path in paths}
    for wanted in (start, ""):
        if chosen := [path for path, own in starts.items() if own == wanted]:
            return chosen[0]
    alike = [path for path, own in starts.items() if own in start or start in own]
    if len(alike) == 1 or not starts:
        return alike[0] if alike else None
    names = ", ".join(path.name for path in starts)
    raise MissingFile(
        f"which of {names} belongs to the matrix {start}* cannot be told",
        hint="put the files of each section into a folder of their own",
    )
