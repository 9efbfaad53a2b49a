"""Ingest a section of any platform: read, label, check, write into the store."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spacrd_core.cards import fingerprint
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError, MissingFile, SectionExists, SpacrdError, UnrecognisedSection
from spacrd_core.images.bounds import viewer_bounds
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent, within
from spacrd_core.section.section import ImageInputs
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


SECTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LAYOUT = 2  # increase it when the same input should give a different group


@dataclass(frozen=True)
class Ingested:
    """A section of the store, how it got there, and whether the user or its files name its patient."""

    entry: SectionEntry
    status: Literal["added", "replaced", "unchanged"]
    patient_given: bool


def ingest(
    store: SpotStore,
    path: str | Path,
    *,
    reader: str = "",
    reader_options: Mapping[str, object] | None = None,
    replace: bool = False,
    plugins: Plugins | None = None,
    track: Track = silent,
    **options: object,
) -> Ingested:
    """Ingest one section and return its entry in the store.

    >>> store = SpotStore.create("store")
    >>> for name, patient in {"S1": "P1", "S2": "P2", "S3": "P3"}.items():
    ...     labels, image = f"ST-pat/lbl/{name}_labeled_coordinates.tsv", f"ST-imgs/{patient}/{name}/{name}_HE.jpg"
    ...     ingested = ingest(store, f"ST-cnts/{name}.tsv.gz", patient=patient, labels=labels, image=image)
    >>> ingested.status, ingested.entry.spots, ingested.entry.cancer
    ('added', 289, 105)

    Parameters
    ----------
    reader_options
        Options of the reader, as ``--set reader.KEY=VALUE`` of the command.
    options
        The other options of the command, fields of :class:`~spacrd_core.ingestion.options.IngestOptions`: ``name``,
        ``patient``, ``labels``, ``positive``, ``ignore``, ``image``, ``alignment``, ``image_scale``, ``um_per_px``,
        ``mpp``, ``no_image``.

    Raises
    ------
    ConfigError
        With every option that is wrong.
    SpacrdError, ExceptionGroup
        If the section cannot be read; the store is unchanged.
    """
    reader_settings = {"name": reader, **(reader_options or {})}
    section = read_config(IngestOptions, flags={"path": Path(path), "reader": reader_settings, **options})
    return ingest_section(store, section, plugins or load_plugins(), replace=replace, track=track)


def ingest_all(
    store: SpotStore,
    sections: Sequence[IngestOptions],
    plugins: Plugins,
    *,
    replace: bool = False,
    track: Track = silent,
) -> tuple[list[Ingested], list[Exception]]:
    """Ingest several sections; return those in the store, and the errors of the others, which do not stop the rest."""
    ingested: list[Ingested] = []
    errors: list[Exception] = []
    for options in track(sections, "ingesting", len(sections)):
        try:
            ingested.append(ingest_section(store, options, plugins, replace=replace, track=track))
        except (SpacrdError, ExceptionGroup) as error:
            if len(sections) > 1:
                error.add_note(f"in {options.path}")
            errors.append(error)
    return ingested, errors


def ingest_section(
    store: SpotStore, options: IngestOptions, plugins: Plugins, *, replace: bool = False, track: Track = silent
) -> Ingested:
    """Ingest one section and return its entry in the store.

    The same input twice changes nothing. Another input under the same name needs ``replace``, which also rewrites the
    same input where the store was damaged.
    """
    name = options.section_id
    if not SECTION_ID.fullmatch(name):
        raise ConfigError(f"'{name}' is not a valid section id", hint="--name with letters, digits, '.', '_' and '-'")
    section = _read(options, plugins)
    patient = options.patient or section.patient
    identity = fingerprint(_facts(section, options, name, patient or name))
    existing = store.entries.get(name)
    if existing and existing.identity == identity and not replace:
        return Ingested(existing, "unchanged", bool(patient))
    if existing and not replace:
        raise SectionExists(
            f"the store {store.path} already has another section '{name}'", hint="--name ID for a new one, or --replace"
        )
    section, checks = check_section(section)
    key = SectionKey(name, patient or name, identity, options.mpp)
    entry = add_section(store, section, key, checks=asdict(checks), track=within(track, name))
    return Ingested(entry, "replaced" if existing else "added", bool(patient))


def _read(options: IngestOptions, plugins: Plugins) -> Section:
    path = options.path
    if not path.exists():
        raise MissingFile(f"there is nothing at {path}", hint=f"check the path; its absolute form is {path.absolute()}")
    name = options.reader.name or recognise(path, plugins)
    reader = plugins.readers.create(name, options.reader.options)
    recognition = reader.recognises(path)
    if not recognition:
        raise UnrecognisedSection(
            f"the reader '{name}' cannot read {path}: {recognition.reason}", hint="choose another with --reader"
        )
    inputs = ImageInputs(
        image=options.image,
        alignment=options.alignment,
        image_scale=options.image_scale,
        um_per_px=options.um_per_px,
        with_image=not options.no_image,
    )
    section: Section = reader.read(path, inputs)
    if options.labels:
        vocabulary = Vocabulary(options.positive, options.ignore)
        section = attach_labels(section, read_labels(options.labels), vocabulary)
    return section


def _facts(section: Section, options: IngestOptions, name: str, patient: str) -> dict[str, object]:
    """Return everything that determines the stored section."""
    return {
        "layout": LAYOUT,
        "name": name,
        "patient": patient,
        "platform": section.platform,
        "sources": sorted([source.role, source.sha256] for source in section.sources),
        "options": {key: str(value) for key, value in sorted(options.reader.options.items())},
        "vocabulary": [list(options.positive), list(options.ignore)],
        "geometry": [
            section.um_per_px,
            section.spot_um,
            section.pitch_um,
            section.slide.scale if section.slide else None,
        ],
        "mpp": options.mpp,
        **({"viewer_bounds": bounds} if section.slide and (bounds := viewer_bounds(section.slide)) else {}),
    }
