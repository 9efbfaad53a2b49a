"""Names of a TIFF's channels, which tell single stains (fluorescence, immunostaining) from the colours of an H&E."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import tifffile

from spacrd_core.images.errors import DAMAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME_ERRORS = (*DAMAGE_ERRORS, TypeError, AttributeError, ParseError)  # raised by malformed metadata
COLOURS = ("red", "green", "blue")
# Names that say nothing of a stain: of colours, of transmitted light, or a number.
NEUTRAL = re.compile(
    r"|r|g|b|a|(tl\W*)?(red|green|blue|rgba?|alpha|transparency|bright\W?field|bf|transmitted( light)?)"
    r"|h\s*(&|and|\+|-)?\s*e|ha?ematoxylin\s*(&|and|\+|-)\s*eosin"
    r"|(ch|c|channel|band|sample|component|plane|image|page|slice|label)?[\W_]*\d*([\W_]+\d+)*[\W_]*",
    re.IGNORECASE,
)
# Dyes and the commonest markers, as microscopes write them. Only they count where the file says that it holds colours.
STAIN = re.compile(
    r"\b(dapi|hoechst|draq\d|sytox|fitc|tritc|rhodamine|texas\W?red|gfp|yfp|rfp|mcherry|cy\W?[2357]|(alexa|af|atto|opal)"
    r"\W?(fluor\W?)?\d{3}|cd\d+[a-z]?|pan\W?ck|pancytokeratin|autofluorescence|(immuno)?fluorescence)\b",
    re.IGNORECASE,
)
IMAGEJ_PREFIX = re.compile(r"^([czt]:\d+/\d+\s*)+-\s*")  # of slice labels: "c:1/3 - DAPI"


def stain_names(file: tifffile.TiffFile, level: Any) -> tuple[str, ...]:
    """Return the channel names of an image that shows single stains; none if they are colours or unknown."""
    try:
        names = tuple(name.strip() for name in _names(file, level))
    except NAME_ERRORS:
        return ()
    if level.keyframe.photometric != tifffile.PHOTOMETRIC.MINISBLACK:
        return tuple(name for name in names if STAIN.search(name))
    if all(any(colour in name.casefold() for name in names) for colour in COLOURS):
        return ()
    return names if any(not NEUTRAL.fullmatch(name) for name in names) else ()


def _names(file: tifffile.TiffFile, level: Any) -> Iterator[str]:
    """Yield the names in the first kind of metadata that the file has: OME-XML, ImageJ's labels, Akoya's pages."""
    if file.ome_metadata:
        yield from _ome_names(file.ome_metadata, level.keyframe)
    elif file.imagej_metadata:
        labels = file.imagej_metadata.get("Labels") or ()
        yield from (IMAGEJ_PREFIX.sub("", str(label)) for label in labels)
    elif file.is_qpi:
        described = [tifffile.xml2dict(page.description)["PerkinElmer-QPI-ImageDescription"] for page in level.pages]
        yield from (str(page.get("Name", "")) for page in described)


def _ome_names(xml: str, page: Any) -> Iterator[str]:
    """Yield the channel names of the images of this size; OME-XML describes every image of the file."""
    images = tifffile.xml2dict(xml)["OME"]["Image"]
    for image in images if isinstance(images, list) else [images]:
        pixels = image["Pixels"]
        if (pixels["SizeX"], pixels["SizeY"]) == (page.imagewidth, page.imagelength):
            channels = pixels.get("Channel", [])
            for channel in channels if isinstance(channels, list) else [channels]:
                yield str(channel.get("Name") or channel.get("Fluor") or "")
