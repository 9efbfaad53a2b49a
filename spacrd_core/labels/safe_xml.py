"""Parse XML of unknown origin: without entities, external files or document types, and bounded in size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from spacrd_core.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

MAX_XML_BYTES = 2**27  # two million corners; a parsed tree needs some ten times as many bytes
MAX_DEPTH = 64
MAX_ELEMENTS = 3_000_000  # a corner is one
EXPORT_HINT = "open the annotations in QuPath and export them as GeoJSON"


def parse_xml(data: bytes, path: Path) -> Element:
    """Return the root element of an XML file.

    Raises
    ------
    LabelError
        If it is not well-formed, has a document type or an entity of its own, or is too large or too deep.
    """
    if len(data) > MAX_XML_BYTES:
        raise LabelError(f"the label file {path} is XML of more than {MAX_XML_BYTES >> 20} MB", hint=EXPORT_HINT)
    builder, depth, count = TreeBuilder(), 0, 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if count > MAX_ELEMENTS:
            raise LabelError(f"the label file {path} has more than {MAX_ELEMENTS:,} elements", hint=EXPORT_HINT)
        if depth > MAX_DEPTH:
            raise LabelError(f"the label file {path} is nested deeper than {MAX_DEPTH} elements", hint=EXPORT_HINT)
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> NoReturn:
        raise LabelError(
            f"the label file {path} declares a document type or entities, which are not read", hint=EXPORT_HINT
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except LabelError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # LookupError: of an unknown encoding
        raise LabelError(f"the label file {path} is not well-formed XML: {error}", hint="export it again") from error
    return builder.close()
