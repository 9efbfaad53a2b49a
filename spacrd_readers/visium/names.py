"""Name patterns of the files of a Visium section, in runs and in depositions that add a sample prefix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile
from spacrd_core.quoting import listed
from spacrd_readers._links import follow_link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PREFIX = r"(?P<prefix>.*[_.-])?"
MATRICES = (  # in order of preference
    rf"{PREFIX}filtered_feature_bc_matrix\.h5",
    rf"{PREFIX}filtered_feature_bc_matrix",
    rf"{PREFIX}raw_feature_bc_matrix\.h5",
    rf"{PREFIX}raw_feature_bc_matrix",
)
LOOSE = rf"{PREFIX}matrix\.mtx(\.gz)?"
PROBES = rf"{PREFIX}raw_probe_bc_matrix\.h5"
SPATIAL = rf"{PREFIX}spatial"
POSITIONS = (
    rf"{PREFIX}tissue_positions\.(csv|csv\.gz|parquet|tsv|tsv\.gz)",
    rf"{PREFIX}tissue_positions_list\.(csv|csv\.gz|parquet|tsv|tsv\.gz)",
)
SCALEFACTORS = rf"{PREFIX}scalefactors_json\.json(\.gz)?"
OUTS = rf"{PREFIX}outs"
ARCHIVE = rf"{PREFIX}spatial\.(tar\.gz|tgz|tar|zip)"
HD_FOLDER = r"(.*_)?square_\d{3}um"


def files_matching(folder: Path, pattern: str) -> list[Path]:
    """Return a folder's files whose names match a pattern, except hidden files and those of aggregated runs.

    A link that was copied as text is replaced by its target.
    """
    if not folder.is_dir():
        return []
    matches = (path for path in folder.iterdir() if re.fullmatch(pattern, path.name))
    return sorted(follow_link(path) for path in matches if not path.name.startswith((".", "aggr_")))


def name_prefix(path: Path, *patterns: str) -> str:
    """Return the sample prefix of a file name: ``GSM1234_A_``, or ''."""
    first = next((match for pattern in patterns if (match := re.fullmatch(pattern, path.name))), None)
    return (first["prefix"] or "") if first else ""


def select_sample_file(paths: Iterable[Path], pattern: str, prefix: str) -> Path | None:
    """Return the file of a sample: the one with its prefix, else without a prefix, else the only similar one.

    Raises
    ------
    MissingFile
        If there are only files of other samples, or several similar ones.
    """
    prefixes = {path: name_prefix(path, pattern) for path in paths}
    for expected in (prefix, ""):
        if matches := [path for path, found in prefixes.items() if found == expected]:
            return matches[0]
    similar = [path for path, found in prefixes.items() if found in prefix or prefix in found]
    if len(similar) == 1 or not prefixes:
        return similar[0] if similar else None
    names = listed(path.name for path in prefixes)
    raise MissingFile(
        f"cannot determine which of {names} belongs to the matrix {prefix}*",
        hint="put the files of each section into a separate folder",
    )
