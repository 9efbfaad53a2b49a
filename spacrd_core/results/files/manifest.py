"""The manifest: every written file with its checksum. A folder with a manifest is complete."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.small import MAX_RECORD_BYTES, read_small

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spacrd_core.results.result import Provenance

MANIFEST_VERSION = 1


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
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a manifest; None if it is missing or not a SpaCRD manifest."""
    try:
        if not path.is_file():
            return None
        content = parse_json(read_small(path, limit=MAX_RECORD_BYTES))
        names = [record["name"] for record in content["files"]]
        usable = content["format"] == MANIFEST_VERSION and content["provenance"]["detector"] and all(names)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return content if usable and isinstance(content["sections"], dict) else None


def _record(file: Path, folder: Path) -> dict[str, object]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": file.relative_to(folder).as_posix(), "bytes": file.stat().st_size, "sha256": digest}
