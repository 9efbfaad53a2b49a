"""What to do with a path that no reader recognises: most are one step away from a section."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, UnrecognisedSection
from spacrd_core.images.formats import choose_backend
from spacrd_core.ingestion.cohort_file import cohort_columns
from spacrd_core.ingestion.platforms import ANNDATA, unread_platform
from spacrd_core.quoting import listed, shortened
from spacrd_core.tables import read_beginning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_INSIDE = 200  # files and folders in a folder that are tried
MAX_SHOWN = 5
MAX_UP = 3  # from outs/binned_outputs/square_008um/spatial to outs
COHORT_NAME = re.compile(r".*\.(csv|tsv|txt)", re.IGNORECASE)
SAVE_AS_ANNDATA = f"save it as {ANNDATA}, and ingest it with --um-per-px 1"
OTHER_FILES = (  # pattern of the name, what it is, what to do
    (r"\._.*", "a file that macOS puts beside each file, without data", "give the file without '._'"),
    (r".*\.(zip|tar|tgz|tbz2|7z|rar|tar\.\w+)", "an archive", "unpack it and give the folder"),
    (r".*\.(h5ad|h5|tiff?|svs|ndpi|zarr)\.gz", "a compressed file", "unpack it with gunzip and give the file"),
    (r".*\.(xlsx|xlsm|xls|ods|numbers)", "a workbook", "save the sheet as CSV; then --cohort FILE or --labels FILE"),
    (r".*\.(rds|rda|rdata|h5seurat)", "an object of R", SAVE_AS_ANNDATA),
    (r".*\.loom", "a loom file", SAVE_AS_ANNDATA),
    (r".*\.(fastq|fq|bam|cram)(\.gz)?", "a file of sequencing reads", "give the output of Space Ranger for them"),
    (
        r".*\.(geojson|annotations|ndpa)",
        "a file of annotations, not a section",
        "give the path of their section, with --labels FILE",
    ),
)


def advise(path: Path, reader_of: Callable[[Path], str], *, readers: list[str]) -> UnrecognisedSection | None:
    """Return what a path is and what to do instead, as an error; None if nothing is known of it."""
    return (
        _other_file(path)
        or _sections_inside(path, reader_of)
        or unread_platform(path)
        or _cohort_file(path)
        or _image(path, reader_of, readers)
        or _part_of_section(path, reader_of)
    )


def _other_file(path: Path) -> UnrecognisedSection | None:
    for pattern, kind, remedy in OTHER_FILES:
        if path.is_file() and re.fullmatch(pattern, path.name, re.IGNORECASE):
            return UnrecognisedSection(f"{path} is {kind}", hint=remedy)
    return None


def _cohort_file(path: Path) -> UnrecognisedSection | None:
    if not path.is_file() or not COHORT_NAME.fullmatch(path.name):
        return None
    try:
        columns = cohort_columns(read_beginning(path, "table"))
    except InputError:
        return None
    if "path" not in columns:
        return None
    return UnrecognisedSection(
        f"{path} is a cohort file (columns {listed(columns)}), not a section", hint=f"did you mean --cohort {path}?"
    )


def _image(path: Path, reader_of: Callable[[Path], str], readers: list[str]) -> UnrecognisedSection | None:
    if not is_image(path):
        return None
    folder = next(_sections_around(path, reader_of), None)
    remedy = f"give {folder or 'the path of its section'}, with --image {path}"
    alone = ", or --reader slide for the image alone" if "slide" in readers else ""
    return UnrecognisedSection(f"{path} is a slide, not a section with counts", hint=f"{remedy}{alone}")


def is_image(path: Path) -> bool:
    """Return whether a path is an image file, by its first bytes."""
    try:
        return path.is_file() and bool(choose_backend(path))
    except InputError:
        return False


def _sections_inside(path: Path, reader_of: Callable[[Path], str]) -> UnrecognisedSection | None:
    """Return the error for a folder that holds sections, directly or in its folders."""
    for pattern in ("[!.]*", "[!.]*/[!.]*") if path.is_dir() else ():
        inside = {child: name for child in _children(path, pattern) if (name := reader_of(child))}
        if sections := {child: name for child, name in inside.items() if not is_image(child)} or inside:
            return _inside_error(path, sections)
    return None


def _children(path: Path, pattern: str) -> list[Path]:
    return sorted(islice(path.glob(pattern), MAX_INSIDE))


def _inside_error(path: Path, sections: dict[Path, str]) -> UnrecognisedSection:
    named = [f"{child.relative_to(path)} ({name})" for child, name in sections.items()]
    shown = ", ".join(map(shortened, named[:MAX_SHOWN])) + (
        f" and {len(named) - MAX_SHOWN} more" if len(named) > MAX_SHOWN else ""
    )
    if len(sections) == 1:
        return UnrecognisedSection(
            f"{path} is not a section; this inside would be one: {shown}", hint=f"did you mean {next(iter(sections))}?"
        )
    paths = " ".join(map(str, list(sections)[:2]))
    return UnrecognisedSection(
        f"{path} is not a section; these inside would be: {shown}",
        hint=f"give their paths ({paths} ...), or --cohort FILE.csv with one row per section",
    )


def _part_of_section(path: Path, reader_of: Callable[[Path], str]) -> UnrecognisedSection | None:
    for folder in _sections_around(path, reader_of):
        return UnrecognisedSection(
            f"{path} is not a section, but it is in one: {folder} ({reader_of(folder)})", hint=f"did you mean {folder}?"
        )
    return None


def _sections_around(path: Path, reader_of: Callable[[Path], str]) -> Iterator[Path]:
    """Yield the folders around a path that are sections, the nearest first."""
    above = path.absolute().parents[len(path.parents) :]
    for folder in [*path.parents, *above][:MAX_UP]:
        if len(_children(folder, "*")) < MAX_INSIDE and reader_of(folder):
            yield folder if folder.name else folder.absolute()  # not '.'
