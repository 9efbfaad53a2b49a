"""Names of legacy ST files, and which of them are of one section.

::

    A1.tsv.gz                              A1_selection.tsv                                    her2st
    GSM4284316_P2_ST_rep1_stdata.tsv.gz    GSM4284316_spot_data-selection-P2_ST_rep1.tsv.gz    depositions in GEO
    BC23209_C1_stdata.tsv.gz               spots_BC23209_C1.csv.gz, BC23209_C1_Coords.tsv      ST-Net
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TABLE_NAME = re.compile(r".*\.(tsv|txt|csv)(\.gz)?", re.IGNORECASE)
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
ACCESSION = re.compile(r"gsm\d+")
SPOT_TABLE_WORDS = ("selection", "spots", "spot", "spotfile", "coords", "coordinates", "positions")  # preferred first
ROLE_WORDS = {*SPOT_TABLE_WORDS, "data", "ut", "stdata", "filtered"}
LABEL_NAME = re.compile(r"label|annotat", re.IGNORECASE)  # her2st's labels have coordinates of another image


def is_table_name(path: Path) -> bool:
    """Return whether a file is named like a table; hidden files are not tables."""
    return bool(TABLE_NAME.fullmatch(path.name)) and not path.name.startswith(".")


def section_name(counts: Path) -> str:
    """Return the section name in a counts table's name: ``A1`` for ``A1.tsv.gz`` and ``ut_A1_stdata_filtered.tsv``."""
    stem = counts.name.split(".")[0]
    return re.sub(r"[_-](stdata|counts|cnts|count|matrix|filtered).*$", "", stem.removeprefix("ut_"))


def spot_tables(paths: Iterable[Path], section: str | None = None) -> list[Path]:
    """Return the files that are named like spot tables, of one section if its name is given, the preferred first."""
    tables = [path for path in paths if is_table_name(path) and not LABEL_NAME.search(path.name) and path.is_file()]
    ranked = [(_rank(path), path) for path in tables if section is None or _is_of(path, section)]
    return [path for rank, path in sorted(ranked) if rank < len(SPOT_TABLE_WORDS)]


def section_images(paths: Iterable[Path], section: str | None = None) -> list[Path]:
    """Return the images among files, of one section if its name is given."""
    images = sorted(path for path in paths if _is_image_name(path) and path.is_file())
    if section is None:
        return images
    name = rf"{re.escape(section)}(?![A-Za-z0-9])"
    starting = [path for path in images if re.match(name, path.name)]
    return starting or [path for path in images if re.search(rf"(?<![A-Za-z0-9]){name}", path.name)]


def _is_image_name(path: Path) -> bool:
    return path.suffix.casefold() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _rank(path: Path) -> int:
    """Return the rank of a file among spot tables by the words of its name."""
    words = _words(path.name)
    return next((rank for rank, word in enumerate(SPOT_TABLE_WORDS) if word in words), len(SPOT_TABLE_WORDS))


def _is_of(path: Path, section: str) -> bool:
    """Return whether a spot table is named after a section, with or without the accession of GEO."""
    words, expected = ([word for word in _words(name) if word not in ROLE_WORDS] for name in (path.name, section))
    bare_words, bare = ([word for word in some if not ACCESSION.fullmatch(word)] for some in (words, expected))
    return words == expected or bare_words == bare != []


def _words(name: str) -> list[str]:
    return re.split(r"[_\-\s]+", name.split(".", maxsplit=1)[0].casefold())
