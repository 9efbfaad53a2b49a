"""Files and folders: checksums."""

from pathlib import Path

import pytest

from spacrd_core.files import tree_sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "matrix").mkdir()
    (tmp_path / "matrix" / ".zarray").write_text("{}")
    (tmp_path / "matrix" / "0.0").write_bytes(b"counts")
    return tmp_path


@pytest.mark.parametrize("name", [".DS_Store", "._0.0", "Thumbs.db", "desktop.ini"])
def test_looking_at_a_folder_in_a_file_manager_does_not_change_its_checksum(folder: Path, name: str) -> None:
    before = tree_sha256(folder)
    (folder / "matrix" / name).write_bytes(b"\0")
    assert tree_sha256(folder) == before


@pytest.mark.parametrize("name", ["matrix/.zarray", "matrix/0.0", "matrix/.zattrs", "0.0"])
def test_any_other_file_changes_the_checksum(folder: Path, name: str) -> None:
    before = tree_sha256(folder)
    (folder / name).write_bytes(b"changed")
    assert tree_sha256(folder) != before
