"""Ingest a section of any platform: read, label, check, write into the store."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError, MissingFile, SectionExists, SpacrdError, UnrecognisedSection
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.differences import differences
from spacrd_core.ingestion.given import is_same_path, is_same_tissue, keep_given, not_kept, record_given
from spacrd_core.ingestion.identity import section_identity
from spacrd_core.ingestion.losses import image_um_per_px, losses
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


@dataclass(frozen=True)
class Ingested:
    """A section of the store, how it got there, and whether the user or its files name its patient.

    Where it replaced another, ``kept`` has sentences on what was kept of that, and ``warnings`` on what was lost.
    """

    entry: SectionEntry
    status: Literal["added", "replaced", "unchanged"]
    patient_given: bool
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


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
        ``patient``, ``labels``, ``positive``, ``ignore``, ``label_section``, ``image``, ``alignment``,
        ``image_scale``, ``um_per_px``, ``mpp``, ``no_image``.

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
    same input where the store was damaged. It keeps the options that were given before and are not given now.
    """
    name = options.section_id
    if not SECTION_ID.fullmatch(name):
        raise ConfigError(f"'{name}' is not a valid section id", hint="--name with letters, digits, '.', '_' and '-'")
    existing = store.entries.get(name)
    kept: tuple[str, ...] = ()
    if existing and replace:
        options, section, kept = _read_again(options, existing, plugins)
    else:
        section = _read(options, plugins)
    patient = options.patient or section.patient
    identity = section_identity(section, options, name=name, patient=patient or name)
    if existing and existing.identity == identity and not replace:
        return Ingested(existing, "unchanged", bool(patient))
    if existing and not replace:
        raise SectionExists(
            f"the store {store.path} already has another section '{name}' "
            f"({differences(existing, section, options, patient or name)})",
            hint="--name ID for a new one, or --replace, which keeps what was given before and is not given now",
        )
    section, checks = check_section(section)
    key = SectionKey(name, patient or name, identity, options.mpp, record_given(options))
    um_per_px = image_um_per_px(store, name) if existing else None
    entry = add_section(store, section, key, checks=asdict(checks), track=within(track, name))
    lost = tuple(losses(store, existing, entry, um_per_px_before=um_per_px)) if existing else ()
    return Ingested(entry, "replaced" if existing else "added", bool(patient), kept, lost)


def _read_again(
    options: IngestOptions, before: SectionEntry, plugins: Plugins
) -> tuple[IngestOptions, Section, tuple[str, ...]]:
    """Return the options of a section that is replaced with those kept from before, the section, and notes."""
    if not is_same_path(options, before):
        section = _read(options, plugins)
        if not before.given or not is_same_tissue(section, before):
            return options, section, not_kept(before)
    kept = keep_given(options, before)
    return kept.options, _read(kept.options, plugins), kept.notes


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
        section = attach_labels(section, read_labels(options.labels, options.label_section), vocabulary)
    return section
