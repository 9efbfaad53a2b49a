"""What a chain has left behind, file by file, and what of it may differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

from same.chain import DETECTOR, EXPORTS, RESULTS

TIME = re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\+00:00| UTC)")


def without_time(content: bytes) -> bytes:
    """Return a file without the times in it, which are few: a file of equal bytes has as many."""
    return TIME.sub(b"TIME", content)


def without_timed_checksums(content: bytes) -> bytes:
    """Return the manifest of results without its time, and without the checksums of files that record it."""
    manifest = json.loads(without_time(content))
    for file in manifest["files"]:
        if file["name"] != "manifest.json" and any(fnmatch(f"results/{file['name']}", name) for name in MAY_DIFFER):
            file["sha256"] = "of a file with a time"
    return json.dumps(manifest).encode()


#: All that two runs may differ in: the time at which files of results were written, and what follows from it.
MAY_DIFFER: Mapping[str, Callable[[bytes], bytes]] = {
    "results/*.h5ad": without_time,
    "results/report.html": without_time,
    "results/manifest.json": without_timed_checksums,
}


def left(store: Path, folder: Path) -> dict[str, str]:
    """Return the checksum of every file of a store, a detector, results and exports, but for what may differ."""
    roots = {"store": store} | {name: folder / name for name in (DETECTOR, RESULTS, EXPORTS)}
    return {f"{root}/{name}": checksum for root, path in roots.items() for name, checksum in _checksums(root, path)}


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the files that are in one alone, or differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _checksums(root: str, folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        yield name, sha256(_same(f"{root}/{name}", path.read_bytes())).hexdigest() if path.is_file() else "folder"


def _same(name: str, content: bytes) -> bytes:
    """What of a file may not differ."""
    for pattern, part in MAY_DIFFER.items():
        if fnmatch(name, pattern):
            return part(content)
    return content
