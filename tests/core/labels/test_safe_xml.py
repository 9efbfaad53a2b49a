from pathlib import Path

import pytest

from spacrd_core.errors import LabelError
from spacrd_core.labels import safe_xml
from spacrd_core.labels.safe_xml import parse_xml
from spacrd_core.labels.tables import read_labels

BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, '<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_and_entities_are_refused_in_any_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "regions.xml"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(LabelError, match="declares a document type or entities") as caught:
        read_labels(path)
    assert "GeoJSON" in caught.value.hint


def test_a_comment_that_mentions_an_entity_is_harmless() -> None:
    assert parse_xml(b"<a><!-- <!DOCTYPE a> <!ENTITY b> --><b c='1'/></a>", Path("a.xml"))[0].get("c") == "1"


@pytest.mark.parametrize("data", [b"<a><b></a>", b"<a", b"<?xml version='1.0' encoding='klingon'?><a/>", b"<a>&x;</a>"])
def test_broken_xml_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(LabelError, match=r"a\.xml is not well-formed XML"):
        parse_xml(data, Path("a.xml"))


def test_large_and_deep_xml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabelError, match="nested deeper than 64"):
        parse_xml(b"<a>" * 65 + b"</a>" * 65, Path("a.xml"))
    monkeypatch.setattr(safe_xml, "MAX_XML_BYTES", 10)
    with pytest.raises(LabelError, match="is XML of more than"):
        parse_xml(b"<a>       </a>", Path("a.xml"))
