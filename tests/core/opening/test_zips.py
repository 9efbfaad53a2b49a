"""A zip is looked through before a library reads it."""

import zipfile
from pathlib import Path

import pytest

from spacrd_core.opening import zips
from spacrd_core.opening.zips import require_sound_zip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("zarr.json", "{}" * 50)
        stream.writestr("c/0", bytes(10**6))
    return path


def test_a_whole_zip_passes(archive: Path) -> None:
    require_sound_zip(archive)


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as stream:
        stream.writestr("c/0", b"abc" * 100)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="its member c/0 is damaged"):
        require_sound_zip(path)


def test_a_zip_that_unpacks_to_too_much_is_refused(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "FREE_BYTES", 10**5)
    monkeypatch.setattr(zips, "MAX_EXPANSION", 100)
    with pytest.raises(ValueError, match="it unpacks to more than 100 times its size"):
        require_sound_zip(archive)
