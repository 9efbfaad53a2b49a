"""Ingest sections of any platform: read, label, check, write into the store."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.ingestion.parts.again import same_spots
from spacrd_core.ingestion.parts.ingest import ingest_each_part
from spacrd_core.ingestion.put import Candidate, Ingested, put_section, require_section_id
from spacrd_core.ingestion.reading import SectionReader
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.store.store import SpotStore

__all__ = ["Ingested", "ingest", "ingest_parts", "ingest_section"]


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
        ``align``, ``image_scale``, ``um_per_px``, ``mpp``, ``no_image``. For ``region``, use :func:`ingest_parts`.

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


def ingest_parts(
    store: SpotStore,
    path: str | Path,
    *,
    reader: str = "",
    reader_options: Mapping[str, object] | None = None,
    replace: bool = False,
    plugins: Plugins | None = None,
    track: Track = silent,
    **options: object,
) -> list[Ingested]:
    """Ingest each named region of a capture area as a section of its own, ``NAME.REGION``, and return their entries.

    >>> cores = store.spots("S3")[[]].assign(region="left", patient="P3")
    >>> cores.loc[store.spots("S3")["x_px"] > 1500] = "right", "P4"
    >>> cores.to_csv("cores.csv")
    >>> parts = ingest_parts(SpotStore.create("cores"), "ST-cnts/S3.tsv.gz", region="cores.csv", no_image=True)
    >>> [(part.entry.id, part.entry.patient, part.entry.spots) for part in parts]
    [('S3.left', 'P3', 154), ('S3.right', 'P4', 135)]

    Parameters
    ----------
    options
        As of :func:`ingest`, and ``region``: outlines or a table of spots. Labels apply to the whole capture area.

    Raises
    ------
    ConfigError
        With every option that is wrong.
    SpacrdError, ExceptionGroup
        If the capture area cannot be read, and the store is unchanged; or if some parts are refused, and the store has
        the others.
    """
    reader_settings = {"name": reader, **(reader_options or {})}
    area = read_config(IngestOptions, flags={"path": Path(path), "reader": reader_settings, **options})
    ingested, errors = ingest_each_part(store, area, plugins or load_plugins(), replace=replace, track=track)
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup(f"{len(errors)} parts were refused", errors)
    return ingested


def ingest_section(
    store: SpotStore, options: IngestOptions, plugins: Plugins, *, replace: bool = False, track: Track = silent
) -> Ingested:
    """Ingest one section and return its entry in the store.

    The same input twice changes nothing. Another input under the same name needs ``replace``, which also rewrites the
    same input where the store was damaged. It keeps the options that were given before and are not given now.
    """
    require_section_id(options.section_id)
    with store.writing(options.section_id):
        candidate = read_candidate(store, options, SectionReader(plugins, store), replace=replace)
        done = put_section(store, candidate, check_section, replace=replace, track=track)
    again = same_spots(store, candidate.name, [candidate.name])
    return dataclasses.replace(done, warnings=(*done.warnings, *again))


def read_candidate(
    store: SpotStore, options: IngestOptions, reader: SectionReader, *, replace: bool = False
) -> Candidate:
    """Return a section that was read, with the options that are kept if it replaces another."""
    name = options.section_id
    require_section_id(name)
    _require_whole(store, options, replace=replace)
    existing = store.entries.get(name)
    kept: tuple[str, ...] = ()
    if existing and replace:
        options, section, kept = reader.read_again(options, existing)
    else:
        section = reader.read(options)
    return Candidate(name, options.patient or section.patient, section, options, kept)


def _require_whole(store: SpotStore, options: IngestOptions, *, replace: bool) -> None:
    """Refuse regions, which give several sections, and a whole capture area that would replace a part of one."""
    if options.region:
        raise ConfigError(
            f"the regions of {options.region} give several sections, not one", hint="use spacrd_core.ingest_parts"
        )
    existing = store.entries.get(options.section_id)
    if existing and replace and (region := existing.given.get("region")):
        raise ConfigError(
            f"section '{existing.id}' is a part of a capture area, by --region {region}",
            hint=f"--name {existing.given.get('name')} --region FILE --replace for all its parts; "
            f"spacrd store rm {store.path} {existing.id} to give this name to another",
        )
