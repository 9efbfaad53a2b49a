"""Bring a section of any platform into the store: read, label, check, write, publish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spacrd_core.cards import fingerprint
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError, MissingFile, SectionExists, SpacrdError, UnrecognisedSection
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.options import IngestOptions, IngestRequest, default_name
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent, within
from spacrd_core.section.section import Verdict
from spacrd_core.store.write import Ticket, add_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.plugins import Plugins
    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


SECTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LAYOUT = 2  # raise when the same input should give another group


@dataclass(frozen=True)
class Ingested:
    """What became of one section, and whether its patient was named or stands for the section alone."""

    entry: SectionEntry
    status: Literal["added", "replaced", "unchanged"]
    patient_given: bool


def ingest_section(store: SpotStore, request: IngestRequest, plugins: Plugins, *, track: Track = silent) -> Ingested:
    """Bring one section into the store and return what the store now says of it.

    The same input twice changes nothing; another input under the same name needs ``request.replace``, which also
    writes the same input anew where the store was damaged.
    """
    name = request.name or default_name(request.path)
    if not SECTION_ID.fullmatch(name):
        raise ConfigError(f"'{name}' cannot name a section", hint="--name with letters, digits, '.', '_' and '-'")
    section = _read(request, plugins)
    patient = request.patient or section.patient
    facts = _facts(section, request, name, patient or name)
    known = store.entries.get(name)
    if known and known.identity == fingerprint(facts) and not request.replace:
        return Ingested(known, "unchanged", bool(patient))
    if known and not request.replace:
        raise SectionExists(
            f"the store {store.path} already has another section '{name}'", hint="--name ID for a new one, or --replace"
        )
    section, checks = check_section(section)
    ticket = Ticket(name, patient or name, fingerprint(facts), request.mpp)
    entry = add_section(store, section, ticket, checks=checks, track=within(track, name))
    return Ingested(entry, "replaced" if known else "added", bool(patient))


def ingest_all(
    store: SpotStore, requests: Sequence[IngestRequest], plugins: Plugins, *, track: Track = silent
) -> tuple[list[Ingested], list[Exception]]:
    """Bring in several sections; return what came in, and why others did not. A failure does not stop the rest."""
    done: list[Ingested] = []
    failed: list[Exception] = []
    for request in track(requests, "ingesting", len(requests)):
        try:
            done.append(ingest_section(store, request, plugins, track=track))
        except (SpacrdError, ExceptionGroup) as error:
            if len(requests) > 1:
                error.add_note(f"in {request.path}")
            failed.append(error)
    return done, failed


def _read(request: IngestRequest, plugins: Plugins) -> Section:
    if not request.path.exists():
        looked = request.path.absolute()
        raise MissingFile(f"there is nothing at {request.path}", hint=f"check the path: that is {looked}")
    name = request.reader or _recognise(request.path, plugins)
    reader = plugins.readers.create(name, request.reader_options)
    verdict = reader.recognises(request.path)
    if not verdict:
        raise UnrecognisedSection(
            f"the reader '{name}' cannot read {request.path}: {verdict.reason}", hint="choose another with --reader"
        )
    section: Section = reader.read(request.path, request.given)
    if request.labels:
        section = attach_labels(section, read_labels(request.labels), request.vocabulary)
    return section


def _recognise(path: Path, plugins: Plugins) -> str:
    verdicts = {card.name: _verdict(path, card.name, plugins) for card in plugins.readers if not card.family}
    able = [name for name, verdict in verdicts.items() if verdict]
    if len(able) == 1:
        return able[0]
    if able:
        raise UnrecognisedSection(f"{path} could be read as {' or '.join(able)}", hint=f"--reader {able[0]}")
    reasons = [f"not {name}: {verdict.reason}" for name, verdict in verdicts.items()]
    spoiled = [str(problem) for problem in plugins.readers.problems]
    raise ExceptionGroup(f"no reader recognises {path}", [UnrecognisedSection(reason) for reason in reasons + spoiled])


def _verdict(path: Path, name: str, plugins: Plugins) -> Verdict:
    """Return what a reader says of a path; one that fails is a reader that does not recognise it."""
    try:
        verdict: Verdict = plugins.readers.create(name).recognises(path)
    except SpacrdError as error:
        return Verdict(recognised=False, reason=f"{error}; {error.hint}" if error.hint else str(error))
    except Exception as error:  # noqa: BLE001 - a third party's reader may raise anything; it must not end ours
        return Verdict(recognised=False, reason=f"it raised {type(error).__name__}: {error}")
    return verdict


def _facts(section: Section, request: IngestRequest, name: str, patient: str) -> dict[str, object]:
    """Everything the stored section follows from."""
    return {
        "layout": LAYOUT,
        "name": name,
        "patient": patient,
        "platform": section.platform,
        "sources": sorted([source.role, source.sha256] for source in section.sources),
        "options": {key: str(value) for key, value in sorted(request.reader_options.items())},
        "vocabulary": [list(request.vocabulary.positive), list(request.vocabulary.ignore)],
        "geometry": [
            section.um_per_px,
            section.spot_um,
            section.pitch_um,
            section.slide.scale if section.slide else None,
        ],
        "mpp": request.mpp,
    }


def ingest(
    store: SpotStore,
    path: str | Path,
    *,
    reader_options: Mapping[str, object] | None = None,
    replace: bool = False,
    plugins: Plugins | None = None,
    track: Track = silent,
    **options: object,
) -> Ingested:
    """Bring one section into the store, and return what the store now says of it.

    >>> store = SpotStore.create("store")
    >>> for name, patient in {"S1": "P1", "S2": "P2", "S3": "P3"}.items():
    ...     labels, image = f"ST-pat/lbl/{name}_labeled_coordinates.tsv", f"ST-imgs/{patient}/{name}/{name}_HE.jpg"
    ...     ingested = ingest(store, f"ST-cnts/{name}.tsv.gz", patient=patient, labels=labels, image=image)
    >>> ingested.status, ingested.entry.spots, ingested.entry.cancer
    ('added', 289, 105)

    ``options`` are those of the command: ``name``, ``patient``, ``reader``, ``labels``, ``positive``, ``ignore``,
    ``image``, ``alignment``, ``image_scale``, ``um_per_px``, ``mpp``, ``no_image``.

    Raises
    ------
    ConfigError
        With every option that is wrong.
    SpacrdError, ExceptionGroup
        If the section cannot be read; the store is as it was.
    """
    asked = read_config(IngestOptions, flags={"path": Path(path), **options})
    request = asked.request(reader_options or {}, replace=replace)
    return ingest_section(store, request, plugins or load_plugins(), track=track)
