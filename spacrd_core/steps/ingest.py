"""The first step: a section of any platform into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.cohort_file import IngestOptions
from spacrd_core.config import read_config
from spacrd_core.ingestion import Ingested
from spacrd_core.ingestion import ingest as ingest_section
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.store.store import SpotStore


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
