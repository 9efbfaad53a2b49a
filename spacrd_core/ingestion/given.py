"""What the user gave for a section: recorded in the store, and kept when the section is replaced.

``spacrd ingest PATH --labels FILE --replace`` changes the labels. The image, its alignment, the patient and every other
option that was given before, and is not given again, stay as they were.
"""

from __future__ import annotations

from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spacrd_core.errors import MissingFile
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry

OF_IMAGE = ("image", "alignment", "align", "image_scale", "um_per_px", "no_image")  # another image has its own
OF_LABELS = ("labels", "label_section", "positive", "ignore")
NEVER_KEPT = ("path", "name", "region")  # the regions make the names
FILES = {  # options with a file that must still be there, and the remedy if it is not
    "image": "--image FILE with its present path, or --no-image",
    "alignment": "--alignment FILE with its present path",
    "labels": "--labels FILE with its present path; spacrd store rm forgets all that was given",
}
ADDED_LABELS = "added_labels"  # recorded beside the options: the files of ``spacrd store label --add``
IDENTIFYING_ROLES = ("counts", "positions")  # no two tissues have the same file of these


class Kept(NamedTuple):
    """Options of a section with those that were given before, and sentences on what was kept and what was not."""

    options: IngestOptions
    notes: tuple[str, ...]


def record_given(options: IngestOptions) -> dict[str, Any]:
    """Return the options that the user gave as JSON-able values, with absolute paths.

    The name is that of the section, except of a part of a capture area: there it is that of the capture area.
    """
    given = options.model_dump(mode="json", exclude_unset=True, exclude={"name"})
    given["name"] = options.section_id if options.region else ""
    paths = {key: str(value.absolute()) for key, value in options if isinstance(value, Path)}
    given = {key: paths.get(key, value) for key, value in given.items()}
    return {key: value for key, value in given.items() if value not in (None, "", [], {}, {"name": ""}, False)}


def keep_given(options: IngestOptions, entry: SectionEntry) -> Kept:
    """Return the options of a section that is replaced, with those that were given before and are not given now.

    Another image comes with its own alignment and scale, another label file with its own words. Nothing is kept of
    another reader.

    Raises
    ------
    MissingFile
        If a file that was given before is no longer there.
    """
    before = {k: v for k, v in entry.given.items() if k in IngestOptions.model_fields and k not in NEVER_KEPT}
    now = record_given(options)
    superseded = _superseded(options, now)
    earlier = {key: value for key, value in before.items() if key not in now}
    kept = {key: value for key, value in earlier.items() if key not in superseded}
    reader = _merged_reader(before.get("reader", {}), now.get("reader", {}))
    _require_files(kept, entry.id)
    values = {**kept, **now, "path": options.path, "reader": reader, "name": options.name}
    dropped = {key: value for key, value in earlier.items() if key in superseded and key != "no_image"}
    added = entry.given.get(ADDED_LABELS, [])
    return Kept(IngestOptions.model_validate(values), (*_notes(kept, dropped), *_added_notes(added)))


def is_same_tissue(section: Section, entry: SectionEntry) -> bool:
    """Return whether a section has the counts or the positions from which an entry of the store was made."""
    stored = {source.sha256 for source in entry.sources if source.role in IDENTIFYING_ROLES}
    return any(source.sha256 in stored for source in section.sources if source.role in IDENTIFYING_ROLES)


def is_same_path(options: IngestOptions, entry: SectionEntry) -> bool:
    """Return whether a section is read from the path that an entry of the store was read from."""
    return "path" in entry.given and realpath(options.path) == realpath(entry.given["path"])


def not_kept(entry: SectionEntry) -> tuple[str, ...]:
    """Return a sentence on what was given before for another tissue, and does not apply to this one."""
    before = {key: value for key, value in entry.given.items() if key not in NEVER_KEPT}
    if not before:
        return ()
    return (f"the section before was another tissue, so what was given for it is not kept: {_as_options(before)}",)


def _superseded(options: IngestOptions, now: Mapping[str, Any]) -> set[str]:
    """Return the options that do not apply any more beside those given now."""
    of_image = set(OF_IMAGE) if "image" in now else set(OF_IMAGE) - {"um_per_px"} if "no_image" in now else set()
    of_labels = set(OF_LABELS) if "labels" in now else set()
    of_alignment = {"alignment", "align"} if now.keys() & {"alignment", "align"} else set()
    with_image = {"no_image"} if "no_image" in options.model_fields_set else set()
    return of_image | of_labels | of_alignment | with_image


def _merged_reader(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    same = now.get("name", "") in {"", before.get("name", "")}
    return {**before, **{key: value for key, value in now.items() if value != ""}} if same else dict(now)


def _require_files(kept: Mapping[str, Any], section: str) -> None:
    for option, remedy in FILES.items():
        if option in kept and not Path(kept[option]).exists():
            raise MissingFile(
                f"the {option} given before for section '{section}' is no longer at {kept[option]}", hint=remedy
            )


def _notes(kept: Mapping[str, Any], dropped: Mapping[str, Any]) -> Iterable[str]:
    if shown := {key: value for key, value in kept.items() if key != "reader"}:
        yield f"kept what was given before: {_as_options(shown)}"
    if dropped:
        yield f"not kept of what was given before: {_as_options(dropped)}"


def _added_notes(files: Iterable[str]) -> Iterable[str]:
    """Yield a sentence on the labels that were added to those of the run, if there are any."""
    if shown := ", ".join(map(shortened, files)):
        yield f"labels added later are not kept; add them again with spacrd store label --add: {shown}"


def _as_options(given: Mapping[str, Any]) -> str:
    """Return options as a user writes them."""
    return ", ".join(text for key, value in given.items() for text in _as_option(key, value))


def _as_option(key: str, value: Any) -> Iterable[str]:
    if isinstance(value, dict):  # the reader
        for name, setting in value.items():
            yield f"--reader {setting}" if name == "name" else f"--set {key}.{name}={setting}"
    elif isinstance(value, list):
        for text in value:
            yield f"--{key} '{shortened(text)}'"
    else:
        flag = f"--{key.replace('_', '-')}"
        yield flag if value is True else f"{flag} {value}"
