"""Put a section that was read into the store: it is added, replaces another, changes nothing, or is refused."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from spacrd_core.errors import ConfigError, SectionExists
from spacrd_core.ingestion.differences import differences
from spacrd_core.ingestion.given import record_given
from spacrd_core.ingestion.identity import section_identity
from spacrd_core.ingestion.losses import image_um_per_px, losses
from spacrd_core.progress import Track, silent, within
from spacrd_core.quoting import shortened
from spacrd_core.store.claims import remove_left_locks
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.ingestion.checks import Checks
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry, SlideRecord
    from spacrd_core.store.store import SpotStore

MAX_ID_LETTERS = 200  # it names folders, and file systems take 255
SECTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Status = Literal["added", "replaced", "unchanged"]


@dataclass(frozen=True)
class Ingested:
    """A section of the store, how it got there, and whether the user or its files name its patient.

    Where it replaced another, ``kept`` has sentences on what was kept of that, and ``warnings`` on what was lost.
    ``part_of`` names the capture area that it is a part of; '' if it is a whole one.
    """

    entry: SectionEntry
    status: Status
    patient_given: bool
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    part_of: str = ""


@dataclass(frozen=True)
class Candidate:
    """A section that was read, its name and patient ('' if unknown), its options, and notes on what was kept.

    Of a part of a capture area, ``part_of`` names that, and ``slide`` is its slide if another part has written it.
    """

    name: str
    patient: str
    section: Section
    options: IngestOptions
    kept: tuple[str, ...] = ()
    part_of: str = ""
    slide: SlideRecord | None = None

    @property
    def owner(self) -> str:
        """The patient: the section itself, if it is unknown."""
        return self.patient or self.name

    @cached_property
    def identity(self) -> str:
        """The identity that the section has in the store."""
        return section_identity(self.section, self.options, name=self.name, patient=self.owner)


def require_section_id(name: str) -> None:
    """Raise a ConfigError if a name is not a valid section id."""
    if not SECTION_ID.fullmatch(name) or len(name) > MAX_ID_LETTERS:
        raise ConfigError(
            f"'{shortened(name)}' is not a valid section id",
            hint=f"--name with at most {MAX_ID_LETTERS} letters, digits, '.', '_' and '-'",
        )


def foresee(store: SpotStore, candidate: Candidate, *, replace: bool = False) -> Status:
    """Return what becomes of a section when it is put into the store; nothing is written.

    Raises
    ------
    SectionExists
        If the store has another section of that name, without ``replace``.
    """
    existing = store.entries.get(candidate.name)
    if existing is None:
        return "added"
    if replace:
        return "replaced"
    if existing.identity == candidate.identity:
        return "unchanged"
    raise SectionExists(
        f"the store {store.path} already has a different section '{candidate.name}' "
        f"({differences(existing, candidate.section, candidate.options, candidate.owner)})",
        hint="use --name ID to add it as a new section, or --replace; options given before and not given now are kept",
    )


def put_section(
    store: SpotStore,
    candidate: Candidate,
    check: Callable[[Section], tuple[Section, Checks]],
    *,
    replace: bool = False,
    track: Track = silent,
) -> Ingested:
    """Put a section into the store and return its entry there. It is only checked if it changes the store.

    Raises
    ------
    SectionExists
        As :func:`foresee`.
    """
    name, options, section = candidate.name, candidate.options, candidate.section
    existing, patient_given = store.entries.get(name), bool(candidate.patient)
    status = foresee(store, candidate, replace=replace)
    if existing and status == "unchanged":
        remove_left_locks(store, name)
        return Ingested(existing, status, patient_given, part_of=candidate.part_of)
    key = SectionKey(
        name,
        candidate.owner,
        candidate.identity,
        options.mpp,
        record_given(options),
        slide_folder=candidate.part_of,
    )
    section, checks = check(section)
    um_per_px = image_um_per_px(store, name) if existing else None
    entry = add_section(
        store,
        section,
        key,
        checks=asdict(checks),
        slide=candidate.slide,
        track=within(track, candidate.part_of or name),
    )
    lost = tuple(losses(store, existing, entry, um_per_px_before=um_per_px)) if existing else ()
    return Ingested(entry, status, patient_given, candidate.kept, lost, candidate.part_of)
