"""The manifest: every written file with its checksum. A folder with a manifest is complete."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from spacrd_core.opening.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spacrd_core.results.result import Provenance

MANIFEST_VERSION = 1


def write_manifest(
    path: Path, files: Iterable[Path], provenance: Provenance, sections: Mapping[str, Mapping[str, object]]
) -> None:
    """Write name, size and sha256 of every file, the provenance, and threshold, counts and notes of every section."""
    content = {
        "format": MANIFEST_VERSION,
        "provenance": provenance.to_dict(),
        "sections": {name: dict(facts) for name, facts in sections.items()},
        "files": [_record(file) for file in sorted(files)],
    }
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def listed_files(manifest: Path) -> set[str]:
    """Return the file names that a manifest lists; none if it is missing or not a SpaCRD manifest."""
    if not manifest.is_file():
        return set()
    try:
        content = parse_json(manifest.read_text(encoding="utf-8"))
        return {str(record["name"]) for record in content["files"]}
    except (OSError, ValueError, LookupError, TypeError):
        return set()


def _record(file: Path) -> dict[str, object]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": file.name, "bytes": file.stat().st_size, "sha256": digest}
