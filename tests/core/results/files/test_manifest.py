"""The manifest of a results folder: right after any later file, and never a way out of the folder."""

import errno
import hashlib
import json
from pathlib import Path

import pytest

from spacrd_core.results.files.manifest import MANIFEST, read_manifest, replacing_files

CONTENT = {"format": 1, "provenance": {"detector": "key"}, "sections": {"S1": {}}}


def _write(folder: Path, *names: str) -> Path:
    records = []
    for name in names:
        (folder / name).write_text(name)
        records.append({"name": name, "bytes": len(name), "sha256": hashlib.sha256(name.encode()).hexdigest()})
    (folder / MANIFEST).write_text(json.dumps({**CONTENT, "files": records}))
    return folder / MANIFEST


def _sums(manifest: Path) -> dict[str, str]:
    return {record["name"]: record["sha256"] for record in json.loads(manifest.read_text())["files"]}


def test_files_that_are_replaced_are_unlisted_until_they_are_there(tmp_path: Path) -> None:
    manifest = _write(tmp_path, "S1.h5ad", "S1.png", "S2.h5ad")
    with replacing_files(manifest, {"S1.h5ad", "S1.png", "S9.h5ad"}):
        assert set(_sums(manifest)) == {"S2.h5ad"}
        (tmp_path / "S1.h5ad").write_text("new")
        (tmp_path / "S1.png").unlink()
        (tmp_path / "S9.h5ad").write_text("not listed before")
    expected = {"S1.h5ad": hashlib.sha256(b"new").hexdigest(), "S2.h5ad": hashlib.sha256(b"S2.h5ad").hexdigest()}
    assert _sums(manifest) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S1.h5ad", "S2.h5ad", "S9.h5ad", MANIFEST]


def test_files_that_were_not_replaced_are_listed_again_after_an_error(tmp_path: Path) -> None:
    manifest = _write(tmp_path, "S1.h5ad")
    before = json.loads(manifest.read_text())
    with pytest.raises(OSError, match="full"), replacing_files(manifest, {"S1.h5ad"}):
        raise OSError(errno.ENOSPC, "full")
    assert json.loads(manifest.read_text()) == before


def test_a_folder_without_a_manifest_gets_none(tmp_path: Path) -> None:
    with replacing_files(tmp_path / MANIFEST, {"S1.h5ad"}):
        (tmp_path / "S1.h5ad").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["S1.h5ad"]


@pytest.mark.parametrize("name", ["../S1.h5ad", "/etc/passwd", "pages/../../S1.html", ""])
def test_a_manifest_that_names_files_elsewhere_is_none(name: str, tmp_path: Path) -> None:
    record = {"name": name, "bytes": 1, "sha256": ""}
    (tmp_path / MANIFEST).write_text(json.dumps({**CONTENT, "files": [record]}))
    assert read_manifest(tmp_path / MANIFEST) is None
    (tmp_path / MANIFEST).write_text(json.dumps({**CONTENT, "sections": {"../S1": {}}, "files": []}))
    assert read_manifest(tmp_path / MANIFEST) is None
