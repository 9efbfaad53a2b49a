"""Links in copies of runs: kept as text, or leading nowhere."""

from pathlib import Path

import pytest

from spacrd_core.errors import MissingFile
from spacrd_readers._links import broken_link, follow_link, require_target


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "spatial").mkdir()
    path = tmp_path / "spatial" / "tissue.png"
    path.write_bytes(b"\x89PNG")
    return path


@pytest.mark.parametrize("text", ["../spatial/tissue.png", "..\\spatial\\tissue.png\r\n"])
def test_a_link_that_was_copied_as_text_is_followed(tmp_path: Path, picture: Path, text: str) -> None:
    (tmp_path / "bins").mkdir()
    link = tmp_path / "bins" / "tissue.png"
    link.write_text(text)
    assert follow_link(link).samefile(picture)
    assert require_target(link).samefile(picture)
    assert broken_link(link) == ""


@pytest.mark.parametrize("content", [b"\x89PNG\xff", b"", b"barcode,x\nA,1\n", b'{"a": 1}', b"a note.png", b"a/b.txt"])
def test_other_files_are_themselves(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tissue.png"
    file.write_bytes(content)
    assert follow_link(file) == file == require_target(file)


def test_links_that_lead_nowhere_are_reported_with_their_target(tmp_path: Path) -> None:
    text, link = tmp_path / "a.png", tmp_path / "b.png"
    text.write_text("../gone/a.png")
    link.symlink_to("/gone/b.png")
    for path, phrase in {text: "a link that was copied as text", link: "a link to /gone/b.png"}.items():
        with pytest.raises(MissingFile, match=phrase) as caught:
            require_target(path)
        assert "copy the run with the files" in caught.value.hint
