"""Detection: apply a detector to sections, and store their spot tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacrd_core.cards import Recipe
from spacrd_core.detection.bands import Bands
from spacrd_core.detection.section_task import CallTask
from spacrd_core.detection.stored_calls import StoredCalls
from spacrd_core.detector.elsewhere import local_detector
from spacrd_core.detector.load import as_detector
from spacrd_core.embedding.missing import Encoding, embed_missing
from spacrd_core.errors import ConfigError, DetectorError, RecipeMismatch
from spacrd_core.executors.parts import Part
from spacrd_core.executors.run import run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.model.decision import ALPHA, LABEL_ALPHA, DecisionRule
from spacrd_core.model.ensemble import SCORING_BATCH
from spacrd_core.outputs import require_room
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import Track, silent
from spacrd_core.quoting import command, listed
from spacrd_core.store.failures import note_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.detector.config import DetectorConfig, EncoderRecord
    from spacrd_core.detector.detector import Detector
    from spacrd_core.executors.pool import Executor
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def _raise(_: str, error: Exception) -> None:
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
    bands: Bands | None = None,
    regions: RegionsRule = "auto",
    batch_size: int = SCORING_BATCH,
    device: str = "auto",
    plugins: Plugins | None = None,
    on_error: Callable[[str, Exception], None] = _raise,
    executor: Executor | None = None,
    part: Part | None = None,
    in_memory: bool = True,
    track: Track = silent,
) -> Mapping[str, pd.DataFrame]:
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
    bands
        How every output divides the section by the distance from the border of the cancer regions (default: 500 um
        inside and outside, see :class:`Bands`).
    regions
        Whether every output draws the cancer regions: ``auto`` (unless the section's calls cannot be relied on),
        ``always`` or ``never``.
    batch_size
        Spots that are dense at a time, 1,024 at least; it bounds memory and changes no result.
    on_error
        Called with every section that cannot be called and its error, after the others have been (default: raise).
    executor
        Where sections are called, one per task (default: in this process).
    part
        The part of the sections that this call does, for jobs of an array.
    in_memory
        Whether the tables are returned in memory, or else read from the store whenever one is asked for; a table of
        4,000 spots takes about 1 MB.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be 1 or more, not {batch_size}", hint=f"batch_size={SCORING_BATCH}")
    rule = DecisionRule.parse(threshold, alpha=alpha, label_alpha=label_alpha)
    plugins = plugins or load_plugins()
    detector = as_detector(detector, device=device, plugins=plugins, track=track)
    entries = (part or Part()).select(store.choose(sections, exclude))
    executor = executor or Serial()
    require_room(store.path)
    _embed_missing(store, detector, entries, plugins, device, executor, track)
    stain_key = ""
    if reads_staining(detector.config):
        stain_key = embed_staining(store, entries, device=device, plugins=plugins, track=track, executor=executor)
    shared: dict[str, Any] = {"rule": rule, "bands": bands or Bands(), "regions": regions}
    shared |= {"batch_size": batch_size, "stain_key": stain_key, "in_memory": in_memory}
    local = local_detector(detector)
    tasks = [CallTask(store=store.path, entry=entry, detector=local, **shared) for entry in entries]
    outcomes = run_in_order(executor, tasks, "detecting", device=device, track=track)
    errors = {entry.id: outcome.error for entry, outcome in zip(entries, outcomes, strict=True)}
    note_failures(store, "detect", errors)
    for section, error in errors.items():
        if error:
            on_error(section, error)
    called: dict[str, Any] = {
        entry.id: outcome.result for entry, outcome in zip(entries, outcomes, strict=True) if outcome.error is None
    }
    return called if in_memory else StoredCalls(store, called)


def _embed_missing(
    store: SpotStore,
    detector: Detector,
    entries: Sequence[SectionEntry],
    plugins: Plugins,
    device: str,
    executor: Executor,
    track: Track,
) -> None:
    """Embed the sections that have an image but no embeddings of the detector's recipe, with its encoder's options."""
    encoding = detector_encoding(store, detector.config, entries, plugins)
    if encoding:
        latest = not detector.config.built_in
        embed_missing(
            store, entries, encoding, device=device, plugins=plugins, track=track, latest=latest, executor=executor
        )


def reads_staining(config: DetectorConfig) -> bool:
    """Return whether a detector reads what an image says of itself."""
    return bool(config.image_dim and config.prior)


def detector_encoding(
    store: SpotStore, config: DetectorConfig, entries: Sequence[SectionEntry], plugins: Plugins
) -> Encoding | None:
    """Return the encoder of a detector with its options; None if it reads no image.

    Raises
    ------
    RecipeMismatch
        If sections lack embeddings, and the installed encoder would make others.
    """
    record = config.encoder
    if record is None:
        return None
    encoding = Encoding(record.name, record.options, record.recipe_key)
    missing = encoding.missing(entries)
    installed = _create_encoder(plugins, record).recipe if missing else None
    if installed and installed.key != record.recipe_key:
        differences = installed.differences(Recipe.from_dict(record.recipe))
        raise RecipeMismatch(
            f"sections without embeddings: {listed(missing)}; the installed encoder '{record.name}' has another "
            f"recipe than the detector ({differences})",
            hint=f"{command('embed', store.path, '--encoder', record.name)}, with the weights used for training",
        )
    return encoding


def _create_encoder(plugins: Plugins, record: EncoderRecord) -> Any:
    """Return the encoder that a detector names, unless its options lead to files of this machine."""
    options = plugins.encoders.options(record.name, record.options)
    if files := [name for name, value in options if isinstance(value, Path)]:
        raise DetectorError(
            f"the detector sets '{files[0]}' of the encoder '{record.name}' to a path, and a detector may not name "
            "files of this machine",
            hint=f"{command('embed', 'STORE', '--encoder', record.name)}, with the files that you choose",
        )
    return plugins.encoders.create(record.name, record.options)
