"""Links from the report to the files that were written beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from spacrd_core.results.files.formats import DEFAULT_FORMATS
from spacrd_core.results.files.manifest import MANIFEST, read_manifest

if TYPE_CHECKING:
    from collections.abc import Collection

OPENED_IN = {  # by format
    "h5ad": "Scanpy, Squidpy",
    "csv": "R, Excel",
    "genes": "genes that drive the calls: R, Excel",
    "geojson": "QuPath",
    "png": "picture",
    "loupe": "Loupe Browser",
    "xenium": "Xenium Explorer",
}


class FileLink(NamedTuple):
    """The name of a file, its address relative to a page, and what opens it."""

    name: str
    href: str
    opened_in: str


def file_links(section: str, names: Collection[str], *, up: bool) -> list[FileLink]:
    """Return links to those files of a section that are among names; ``up``: whether the page is in a folder beside."""
    paths = [(form.path(Path(), section), OPENED_IN[form.name]) for form in DEFAULT_FORMATS]
    return [
        FileLink(path.name, f"{'../' if up else './'}{quote(path.name)}", opened_in)
        for path, opened_in in paths
        if path.name in names
    ]


def listed_files(folder: Path, detector: str) -> frozenset[str]:
    """Return the names of the files in a results folder, if they are those of a detector."""
    manifest = read_manifest(folder / MANIFEST)
    if manifest is None or manifest["provenance"]["detector"] != detector:
        return frozenset()
    return frozenset(record["name"] for record in manifest["files"])
