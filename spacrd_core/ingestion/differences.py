"""What differs between a section of the store and one that would take its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacrd_core.quoting import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry

OTHER_VERSION = "another version of SpaCRD read the same files differently"
SIZES = {"um_per_px": "um/px", "spot_um": "spot size in um", "pitch_um": "pitch in um"}


def differences(entry: SectionEntry, section: Section, options: IngestOptions, patient: str) -> str:
    """Return what differs between an entry of the store and a section, as one sentence part."""
    found = [*_files(entry, section), *_facts(entry, section, patient), *_options(entry, options)]
    return "; ".join(found) or OTHER_VERSION


def _files(entry: SectionEntry, section: Section) -> Iterator[str]:
    before, now = _by_role(entry.sources), _by_role(section.sources)
    for role in dict.fromkeys((*before, *now)):
        old, new = before.get(role, {}), now.get(role, {})
        if sorted(old) != sorted(new):
            names, new_names = _names(old), _names(new)
            same = " with other content" if names == new_names else ""
            yield f"{role}: {names} in the store, {new_names}{same} now"


def _by_role(sources: Any) -> dict[str, dict[str, str]]:
    """Return the path of every source by role and checksum."""
    roles: dict[str, dict[str, str]] = {}
    for source in sources:
        roles.setdefault(source.role, {})[source.sha256] = str(source.path)
    return roles


def _names(paths: Mapping[str, str]) -> str:
    return listed(sorted(Path(path).name for path in paths.values())) or "none"


def _facts(entry: SectionEntry, section: Section, patient: str) -> Iterator[str]:
    yield from _compared("patient", entry.patient, patient)
    yield from _compared("platform", entry.platform, section.platform)
    for field, name in SIZES.items():
        yield from _compared(name, f"{getattr(entry, field):.6g}", f"{getattr(section, field):.6g}")
    if entry.slide and section.slide and entry.slide.file_px_per_full_px:
        scales = (entry.slide.file_px_per_full_px, section.slide.scale)
        yield from _compared("image scale", *(f"{scale:.6g}" for scale in scales))


def _options(entry: SectionEntry, options: IngestOptions) -> Iterator[str]:
    """Yield the options that differ, if the store recorded those of the section."""
    if not entry.given:
        return
    given = type(options).model_validate({"path": "", **_known(entry.given, options)})
    for name in ("positive", "ignore"):
        yield from _compared(f"--{name}", ", ".join(getattr(given, name)), ", ".join(getattr(options, name)))
    yield from _compared("--label-section", given.label_section, options.label_section)
    yield from _compared("--mpp", f"{given.mpp:g}", f"{options.mpp:g}")
    old, new = given.reader.options, options.reader.options
    for key in sorted({*old, *new}):
        yield from _compared(f"reader.{key}", str(old.get(key, "")), str(new.get(key, "")))


def _known(given: Mapping[str, Any], options: IngestOptions) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in type(options).model_fields}


def _compared(name: str, before: str, now: str) -> Iterator[str]:
    if before != now:
        yield f"{name}: {shortened(before) or 'none'} in the store, {shortened(now) or 'none'} now"
