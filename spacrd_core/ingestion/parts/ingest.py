"""Ingest every region of a capture area as a section; the run is read once, and its slide is stored once."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from functools import cached_property
from typing import TYPE_CHECKING

from spacrd_core.errors import ConfigError, SectionExists
from spacrd_core.ingestion.checks import measure_section, require_usable
from spacrd_core.ingestion.parts.again import known_part, same_spots
from spacrd_core.ingestion.parts.cut import cut
from spacrd_core.ingestion.parts.names import part_ids
from spacrd_core.ingestion.parts.regions import read_regions
from spacrd_core.ingestion.parts.spots import regions_of_spots
from spacrd_core.ingestion.put import Candidate, put_section, require_section_id
from spacrd_core.ingestion.reading import SectionReader
from spacrd_core.progress import Track, silent
from spacrd_core.quoting import listed, shortened
from spacrd_core.section.section import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.ingestion.checks import Checks
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.ingestion.parts.regions import Regions
    from spacrd_core.ingestion.put import Ingested
    from spacrd_core.plugins import Plugins
    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry, SlideRecord
    from spacrd_core.store.store import SpotStore


def ingest_each_part(
    store: SpotStore, options: IngestOptions, plugins: Plugins, *, replace: bool = False, track: Track = silent
) -> tuple[list[Ingested], list[Exception]]:
    """Ingest every region as a section; return those in the store, and the errors of parts that were refused.

    Raises
    ------
    SpacrdError, ExceptionGroup
        If the regions or the capture area cannot be used; the store is unchanged.
    """
    require_section_id(options.section_id)
    with store.writing(options.section_id):
        return _ingest_each_part(store, options, plugins, replace=replace, track=track)


def _ingest_each_part(
    store: SpotStore, options: IngestOptions, plugins: Plugins, *, replace: bool, track: Track
) -> tuple[list[Ingested], list[Exception]]:
    ingested: list[Ingested] = []
    errors: list[Exception] = []
    names: list[str] = []
    for candidate, area in read_parts(store, options, SectionReader(plugins, store), replace=replace):
        names.append(candidate.name)
        try:
            done = put_section(store, candidate, area.check, replace=replace, track=track)
        except SectionExists as error:
            errors.append(error)
            continue
        area.slide = done.entry.slide if done.status != "unchanged" else area.slide
        ingested.append(done)
    if ingested:
        again = tuple(same_spots(store, options.section_id, names))
        ingested[0] = replace_fields(ingested[0], warnings=(*ingested[0].warnings, *again))
    return ingested, errors


def read_parts(
    store: SpotStore, options: IngestOptions, reader: SectionReader, *, replace: bool = False
) -> Iterator[tuple[Candidate, Area]]:
    """Yield every part of a capture area that has spots, with the capture area as it was read for it."""
    if options.region is None:
        raise ConfigError("parts of a capture area need a file with their regions", hint="--region FILE")
    require_section_id(options.section_id)
    regions = read_regions(options.region)
    _require_one_source_of_patients(options, regions)
    ids, notes = part_ids(options.section_id, regions.names, options.region)
    areas = _Areas(options, regions, reader)
    for region, name in ids.items():
        before = known_part(store, options.section_id, name) if replace else None
        candidate, area = areas.part(region, name, before, notes)
        if candidate:
            yield candidate, area


def _require_one_source_of_patients(options: IngestOptions, regions: Regions) -> None:
    """Refuse one patient for all parts where the regions have others."""
    others = sorted(set(regions.patients.values()) - {options.patient})
    if options.patient and others:
        raise ConfigError(
            f"{regions.path} names the patients {listed(others)}, but --patient is {shortened(options.patient)}",
            hint="leave out --patient, or the patients of the regions",
        )


class _Areas:
    """The capture area as its parts need it: once, or as often as they were given other options before."""

    def __init__(self, options: IngestOptions, regions: Regions, reader: SectionReader) -> None:
        self._options, self._regions, self._reader = options, regions, reader
        self._area: Area | None = None
        self._source = Source.from_path("region", regions.path)

    def part(
        self, region: str, name: str, before: SectionEntry | None, notes: tuple[str, ...]
    ) -> tuple[Candidate | None, Area]:
        """Return the part that a region is, None if it has no spots, and the capture area as it was read for it."""
        options = self._options_of(region)
        kept: tuple[str, ...] = ()
        if before:
            options, section, kept = self._reader.read_again(options, before)
        else:
            section = self._reader.read(options)
        if self._area is None or self._area.section is not section:
            self._area = Area(section, self._regions)
        area = self._area
        inside = area.region == self._regions.names.index(region)
        if not inside.any():
            return None, area
        part = cut(section, inside, self._source, (*area.notes, *notes))
        patient = options.patient or section.patient
        return Candidate(name, patient, part, options, kept, self._options.section_id, area.slide), area

    def _options_of(self, region: str) -> IngestOptions:
        patient = self._options.patient or self._regions.patients.get(region, "")
        return self._options.model_copy(update={"patient": patient}) if patient else self._options


class Area:
    """A capture area that was read: the region of each spot, its checks, and its slide once it is in the store."""

    def __init__(self, section: Section, regions: Regions) -> None:
        self.section = section
        self.region, self.notes = regions_of_spots(section, regions)
        self.slide: SlideRecord | None = None

    def check(self, part: Section) -> tuple[Section, Checks]:
        """Return a part with its notes and figures; the slide is checked against all spots, and only once."""
        return measure_section(part, self._slide_notes)

    @cached_property
    def _slide_notes(self) -> tuple[str, ...]:
        return require_usable(self.section)
