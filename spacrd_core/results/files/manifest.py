"""The manifest: every written file with its checksum. A folder with a manifest is complete."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.small import MAX_RECORD_BYTES, read_small
from spacrd_core.replacement import locked, replace_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from spacrd_core.results.result import Provenance

MANIFEST, MANIFEST_VERSION = "manifest.json", 1


def write_manifest(
    path: Path, files: Iterable[Path], provenance: Provenance, sections: Mapping[str, Mapping[str, object]]
) -> None:
    """Write the name in the folder, size and sha256 of every file, the provenance, and facts of every section."""
    content = {
        "format": MANIFEST_VERSION,
        "provenance": provenance.to_dict(),
        "sections": {name: dict(facts) for name, facts in sections.items()},
        "files": [_record(file, path.parent) for file in sorted(files)],
    }
    path.write_text(_text(content), encoding="utf-8")


@contextmanager
def replacing_files(path: Path, names: Collection[str]) -> Iterator[None]:
    """Leave files that are replaced inside the block out of a manifest, and record those that it listed at the end.

    The folder is locked inside the block: two commands that end together would mix their files.
    """
    with locked(path):
        listed = _change_records(path, names, keep=False)
        try:
            yield
        finally:
            _change_records(path, listed, keep=True)


def _change_records(path: Path, names: Collection[str], *, keep: bool) -> set[str]:
    """Remove the records of files or, to ``keep`` them, make them anew; return the names that were recorded."""
    if not names or not path.is_file():
        return set()
    content = read_manifest(path)
    if content is None:
        return set()
    others = [record for record in content["files"] if record["name"] not in names]
    recorded = {record["name"] for record in content["files"]} - {record["name"] for record in others}
    files = [path.parent / name for name in names if keep and (path.parent / name).is_file()]
    records = sorted([*others, *(_record(file, path.parent) for file in files)], key=lambda record: record["name"])
    if records != content["files"]:
        replace_text(path, _text({**content, "files": records}))
    return recorded


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a manifest; None if it is missing or not a SpaCRD manifest, such as one that names files elsewhere."""
    try:
        if not path.is_file():
            return None
        content = parse_json(read_small(path, limit=MAX_RECORD_BYTES))
        names = [record["name"] for record in content["files"]]
        usable = content["format"] == MANIFEST_VERSION and content["provenance"]["detector"]
        usable = usable and all(map(_is_inside, names)) and all("/" not in section for section in content["sections"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return content if usable and isinstance(content["sections"], dict) else None


def _is_inside(name: str) -> bool:
    """Return whether a name is that of a file in the folder, or in a folder in it."""
    return bool(name) and not name.startswith("/") and ".." not in name.split("/")


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _record(file: Path, folder: Path) -> dict[str, object]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": file.relative_to(folder).as_posix(), "bytes": file.stat().st_size, "sha256": digest}
