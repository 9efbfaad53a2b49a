"""Detection: apply a detector to sections, and store their spot tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.detection.call import call_section
from spacrd_core.detector.load import DETECTOR_KEY_ATTR, as_detector
from spacrd_core.devices import one_thread
from spacrd_core.embedding.missing import Encoding, embed_missing
from spacrd_core.errors import ConfigError, DetectorError, RecipeMismatch
from spacrd_core.model.decision import ALPHA, LABEL_ALPHA, DecisionRule
from spacrd_core.model.ensemble import SCORING_BATCH
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from spacrd_core.detector.detector import Detector
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def _raise(error: DetectorError) -> None:
    raise error


def detect(  # noqa: PLR0913 - the arguments of the command
    store: SpotStore,
    detector: Detector | str | Path,
    *,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    threshold: str | float = "own",
    alpha: float = ALPHA,
    label_alpha: float = LABEL_ALPHA,
    batch_size: int = SCORING_BATCH,
    device: str = "auto",
    plugins: Plugins | None = None,
    on_error: Callable[[DetectorError], None] = _raise,
    track: Track = silent,
) -> dict[str, pd.DataFrame]:
    """Return the spot table of every section (default: all), and store them.

    ``detector`` may be a folder, ``hf://owner/name``, or ``prior``, the built-in detector that needs no training.

    >>> tables = detect(store, "detector", sections=["S3"], threshold="prevalence=0.3")
    >>> tables["S3"].loc["6x15", ["probability", "label"]]
    probability    ...
    label          ...
    Name: 6x15, dtype: object

    A table has one row per spot and the columns ``probability``, ``label``, ``spread``, ``ood``, ``agreement``,
    ``gene_coverage``, ``image_coverage``, ``set``, ``top_modality``, ``top_contribution``, ``doubtful`` (uncertain at
    any threshold) and ``copy_number``. Missing embeddings are computed first.

    Parameters
    ----------
    threshold
        ``own`` (the detector's), a probability, ``gmm``, or ``prevalence=P``.
    alpha
        Level of the conformal sets, which contain the true class of all but this share of a new patient's spots.
    label_alpha
        Level of the sets that make a spot uncertain.
    batch_size
        Spots scored at a time; it bounds memory.
    on_error
        Called with the error of a section that cannot be called, after which the others are called (default: raise).
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be 1 or more, not {batch_size}", hint=f"batch_size={SCORING_BATCH}")
    rule = DecisionRule.parse(threshold, alpha=alpha, label_alpha=label_alpha)
    plugins = plugins or load_plugins()
    detector = as_detector(detector, device=device, plugins=plugins, track=track)
    entries = store.choose(sections, exclude)
    _embed_missing(store, detector, entries, plugins, device, track)
    reads_staining = bool(detector.config.image_dim and detector.config.prior)
    stain_key = embed_staining(store, entries, device=device, plugins=plugins, track=track) if reads_staining else ""
    tables = {}
    for entry in track(entries, "detecting", len(entries)):
        try:
            tables[entry.id] = _call(store, entry, detector, rule, batch_size, stain_key)
        except DetectorError as error:
            on_error(error)
            continue
        tables[entry.id].attrs[DETECTOR_KEY_ATTR] = detector.config.key
        store.publish_predictions(
            entry, tables[entry.id], key=detector.config.key, detector=detector.config.model_dump(mode="json")
        )
    return tables


def _call(
    store: SpotStore, entry: SectionEntry, detector: Detector, rule: DecisionRule, batch_size: int, stain_key: str
) -> pd.DataFrame:
    encoder = detector.config.encoder
    recipe_key = encoder.recipe_key if encoder else ""
    data = load_sections(store, [entry], recipe_key=recipe_key, stain_key=stain_key)[0]
    _require_modality(data, reads_genes=bool(detector.config.panel))
    with one_thread():
        return call_section(detector, data, rule, batch_size=batch_size)


def _embed_missing(
    store: SpotStore,
    detector: Detector,
    entries: Sequence[SectionEntry],
    plugins: Plugins,
    device: str,
    track: Track,
) -> None:
    """Embed the sections that have an image but no embeddings of the detector's recipe, with its encoder's options."""
    record = detector.config.encoder
    if record is None:
        return
    encoding = Encoding(record.name, record.options, record.recipe_key)
    missing = encoding.missing(entries)
    installed = plugins.encoders.create(record.name, record.options).recipe if missing else None
    if installed and installed.key != record.recipe_key:
        differences = installed.differences(Recipe.from_dict(record.recipe))
        raise RecipeMismatch(
            f"sections without embeddings: {', '.join(missing)}; the installed encoder '{record.name}' has another "
            f"recipe than the detector ({differences})",
            hint=f"spacrd embed {store.path} --encoder {record.name}, with the weights used for training",
        )
    latest = not detector.config.built_in
    embed_missing(store, entries, encoding, device=device, plugins=plugins, track=track, latest=latest)


def _require_modality(section: SectionData, *, reads_genes: bool) -> None:
    if section.image is None and not (reads_genes and section.expression):
        raise DetectorError(
            f"section '{section.id}' has no image, and the detector reads only H&E", hint="ingest it with --image FILE"
        )
