"""Train, detect and evaluate on a store: what the commands call, and what a notebook may.

>>> store = SpotStore.open(Path("store"))
>>> detector = train(store, TrainOptions(), encoder="stain", plugins=load_plugins(), device=choose_device())
>>> tables = detect(store, detector, plugins=load_plugins(), device=choose_device())
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from spacrd_core.detector.artifact import Detector
from spacrd_core.devices import one_thread
from spacrd_core.embedding.engine import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import DetectorError, RecipeMismatch, TrainingError
from spacrd_core.learning import evaluate as evaluation
from spacrd_core.learning.attribution import driving_genes
from spacrd_core.learning.calling import Calling
from spacrd_core.learning.detect import AS_TRAINED, predict
from spacrd_core.learning.drivers import write_drivers
from spacrd_core.learning.ensemble import SCORING_BATCH
from spacrd_core.learning.sections import SectionData, load_sections
from spacrd_core.learning.summary import Row
from spacrd_core.learning.train import Moment, TrainOptions
from spacrd_core.learning.train import train as train_on
from spacrd_core.learning.views import view_of, views_within
from spacrd_core.plugins import Plugins
from spacrd_core.progress import Track, silent
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore


def train(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    options: TrainOptions,
    *,
    encoder: str,
    plugins: Plugins,
    device: torch.device,
    genes: bool = True,
    sections: Sequence[str] = (),
    exclude: Sequence[str] = (),
    watch: Callable[[Moment], None] = lambda _: None,
    track: Track = silent,
) -> Detector:
    """Return a detector trained on a store's labelled sections; ``encoder`` '' reads genes alone."""
    entries = [entry for entry in store.choose(tuple(sections), tuple(exclude)) if entry.labelled]
    fraction = options.cohort.cancer_fraction
    loaded = load_sections(store, entries, encoder=encoder, genes=genes, cancer_fraction=fraction, track=track)
    _require_images(loaded, encoder)
    with one_thread():
        trained = train_on(loaded, options, heads=plugins.heads, device=device, watch=watch)
    return Detector.of(trained, options, loaded, encoder)


def _stop(refusal: DetectorError) -> None:
    raise refusal


def detect(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    detector: Detector,
    *,
    plugins: Plugins,
    device: torch.device,
    sections: Sequence[str] = (),
    calling: Calling = AS_TRAINED,
    batch_size: int = SCORING_BATCH,
    refused: Callable[[DetectorError], None] = _stop,
    track: Track = silent,
) -> dict[str, pd.DataFrame]:
    """Return the spot table of every section, and keep them in the store; missing embeddings are made first.

    ``calling`` is how probabilities become calls. ``batch_size`` bounds memory: how many spots are dense at a time.
    ``refused`` is told of a section that cannot be called (default: it is raised); the others then are.
    """
    entries = store.choose(tuple(sections))
    encoder = detector.config.encoder
    if encoder:
        _embed_missing(store, detector, [entry.id for entry in entries], plugins, device, track)
    tables = {}
    for entry in track(entries, "detecting", len(entries)):
        try:
            tables[entry.id] = _call(store, entry, detector, calling, batch_size)
        except DetectorError as refusal:
            refused(refusal)
            continue
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


def evaluate(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    heads: Sequence[TrainOptions],
    *,
    encoder: str,
    plugins: Plugins,
    device: torch.device,
    genes: bool = True,
    sections: Sequence[str] = (),
    seeds: Sequence[int] = (42,),
    by: str = "patient",
    jobs: int = 1,
    track: Track = silent,
) -> list[Row]:
    """Return the figures of every section under every head, each modality alone and all together."""
    entries = [entry for entry in store.choose(tuple(sections)) if entry.labelled]
    fraction = heads[0].cohort.cancer_fraction
    loaded = load_sections(store, entries, encoder=encoder, genes=genes, cancer_fraction=fraction, track=track)
    _require_images(loaded, encoder)
    tasks = evaluation.plan(loaded, heads, views_within(view_of(genes=genes, image=bool(encoder))), seeds, by)
    rows = evaluation.run(tasks, loaded, encoder=encoder, device=device, heads=plugins.heads, jobs=jobs, track=track)
    return list(rows)


def facts(rows: Sequence[Row], summary: Sequence[Mapping[str, Any]], protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return an evaluation as one JSON-able document."""
    return {"protocol": dict(protocol), "rows": [row.model_dump() for row in rows], "summary": list(summary)}


def _embed_missing(
    store: SpotStore, detector: Detector, sections: Sequence[str], plugins: Plugins, device: torch.device, track: Track
) -> None:
    record = detector.config.encoder
    missing = [
        section
        for section in sections
        if record and store.entry(section).slide and record.recipe_key not in store.entry(section).embeddings
    ]
    if not record or not missing:
        return
    encoder = plugins.encoders.create(record.name)
    if encoder.recipe.key != record.recipe_key:
        raise RecipeMismatch(
            f"{', '.join(missing)} lack embeddings, and '{record.name}' as installed is not what the detector reads",
            hint=f"spacrd embed {store.path} --encoder {record.name}, with the options and weights used for training",
        )
    embed(store, record.name, encoder, sections=missing, settings=Settings(device=str(device)), track=track)


def _require_images(sections: Sequence[SectionData], encoder: str) -> None:
    if encoder and sections and all(section.image is None for section in sections):
        raise TrainingError("none of these sections has an image", hint="--encoder none, or ingest with --image FILE")


def _require_something(section: SectionData) -> None:
    if section.image is None and section.expression is None:
        raise DetectorError(
            f"section '{section.id}' has no image, and the detector reads H&E alone", hint="ingest it with --image FILE"
        )
