"""The fourth step: a detector on sections it may never have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.detection.attribution import driving_genes, write_drivers
from spacrd_core.detection.predict import AS_TRAINED, predict
from spacrd_core.detector.load import DETECTOR, as_detector
from spacrd_core.devices import one_thread
from spacrd_core.embedding.embed import embed_sections
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import ConfigError, DetectorError, RecipeMismatch
from spacrd_core.model.ensemble import SCORING_BATCH
from spacrd_core.plugins import Plugins, Registry, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from spacrd_core.cards import EncoderCard
    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.decision import Calling
    from spacrd_core.store.folder import Names
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def _stop(refusal: DetectorError) -> None:
    raise refusal


def detect(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    detector: Detector | str | Path,
    *,
    sections: Names = None,
    exclude: Names = None,
    calling: Calling = AS_TRAINED,
    batch_size: int = SCORING_BATCH,
    device: str = "auto",
    plugins: Plugins | None = None,
    refused: Callable[[DetectorError], None] = _stop,
    track: Track = silent,
) -> dict[str, pd.DataFrame]:
    """Return the spot table of every section (default: all), and keep them in the store.

    >>> tables = detect(store, "detector", sections=["S3"], calling=Calling(ThresholdRule.parse("prevalence=0.3")))
    >>> tables["S3"].loc["6x15", ["probability", "label"]]
    probability    ...
    label          ...
    Name: 6x15, dtype: object

    A table has a row a spot: ``probability``, ``label``, ``spread``, ``ood``, ``gene_coverage``, ``image_coverage``,
    ``set``, ``top_modality``, ``top_contribution``, ``doubtful`` (uncertain at any threshold).
    Missing embeddings are made first.

    ``calling`` is how probabilities become calls. ``batch_size`` bounds memory: how many spots are dense at a time.
    ``refused`` is told of a section that cannot be called (default: it is raised); the others then are.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be 1 or more, not {batch_size}", hint=f"batch_size={SCORING_BATCH}")
    found = plugins or load_plugins()
    detector = as_detector(detector, device=device, plugins=found, track=track)
    entries = store.choose(sections, exclude)
    _embed_missing(store, detector, entries, found.encoders, device, track)
    tables = {}
    for entry in track(entries, "detecting", len(entries)):
        try:
            tables[entry.id] = _call(store, entry, detector, calling, batch_size)
        except DetectorError as refusal:
            refused(refusal)
            continue
        tables[entry.id].attrs[DETECTOR] = detector.config.key
        store.publish_predictions(entry, detector.config, tables[entry.id])
    return tables


def _call(store: SpotStore, entry: SectionEntry, detector: Detector, calling: Calling, batch_size: int) -> pd.DataFrame:
    encoder = detector.config.encoder
    section = load_sections(
        store, [entry], recipe_key=encoder.recipe_key if encoder else "", genes=bool(detector.config.panel)
    )[0]
    _require_something(section)
    with one_thread():
        table = predict(detector.ensemble, detector.calibrations, section, calling, batch_size=batch_size)
        write_drivers(driving_genes(detector.ensemble, detector.calibrations, section, table), table)
    return table


def _embed_missing(
    store: SpotStore,
    detector: Detector,
    entries: Sequence[SectionEntry],
    encoders: Registry[EncoderCard],
    device: str,
    track: Track,
) -> None:
    """Embed the sections that have an image and no embeddings of the detector's recipe, as it was trained on."""
    record = detector.config.encoder
    missing = [entry.id for entry in entries if record and entry.slide and record.recipe_key not in entry.embeddings]
    if not record or not missing:
        return
    encoder = encoders.create(record.name, record.options)
    if encoder.recipe.key != record.recipe_key:
        raise RecipeMismatch(
            f"{', '.join(missing)} lack embeddings, and '{record.name}' as installed is not what the detector reads",
            hint=f"spacrd embed {store.path} --encoder {record.name}, with the weights used for training",
        )
    settings = Settings(device=device)
    embed_sections(
        store, record.name, encoder, options=record.options, sections=missing, settings=settings, track=track
    )


def _require_something(section: SectionData) -> None:
    if section.image is None and section.expression is None:
        raise DetectorError(
            f"section '{section.id}' has no image, and the detector reads H&E alone", hint="ingest it with --image FILE"
        )
