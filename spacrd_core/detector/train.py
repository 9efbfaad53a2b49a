"""Train a detector on the labelled sections of a store."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.detector.detector import Detector
from spacrd_core.detector.fold_task import FoldsOnExecutor
from spacrd_core.detector.kept_groups import KeptGroups
from spacrd_core.detector.load_sections import load_training_sections
from spacrd_core.detector.training_folder import require_training_folder
from spacrd_core.detector.training_inputs import training_facts
from spacrd_core.detector.training_sections import TrainingSections
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.errors import ConfigError
from spacrd_core.executors.local import Local, for_workers
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.model.calibrated_ensemble import CrossValidation, TrainingEvent, TrainOptions, train_calibrated
from spacrd_core.model.cross_validation import cross_validate
from spacrd_core.model.prior_head import untrainable
from spacrd_core.plugins import Plugins, load_heads, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.executors.pool import Executor
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.store import SpotStore


def train(  # noqa: PLR0913 - the options of the command
    store: SpotStore,
    options: TrainOptions | str | None = None,
    *,
    encoder: str | None,
    genes: bool = True,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    device: str = "auto",
    executor: Executor | None = None,
    plugins: Plugins | None = None,
    on_event: Callable[[TrainingEvent], None] = lambda _: None,
    track: Track = silent,
    resume: str | Path | None = None,
) -> Detector:
    """Return a detector trained on the labelled sections of a store.

    >>> detector = train(store, TrainOptions(head="linear", seeds=1), encoder="stain", exclude=["S3"])
    >>> detector.save("detector")
    >>> sorted(detector.metrics["held_out"])
    ['S1', 'S2']

    ``options`` may be the name of a head. ``encoder`` is the encoder whose embeddings are used; None uses genes only,
    and ``genes=False`` uses the image only. ``on_event`` is called after every epoch and every group of held-out
    patients. With an ``executor``, each group is held out by a task of its own, whose epochs are not reported; the
    detector is the same.

    ``resume`` is a folder in which the scores of every group are kept as soon as it is done, until the detector is
    saved. A training that was interrupted goes on from there, if nothing that the scores depend on has changed; the
    detector is the same. None keeps nothing.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have neither genes nor an image.
    OutputError
        If nothing can be kept in the folder ``resume``.
    """
    plugins = plugins or load_plugins()
    encoder = resolve_encoder(encoder, plugins, genes=genes)
    options = trainable(options, plugins)
    folder = None if resume is None else Path(resume)
    if folder:
        require_training_folder(folder)
    entries = [entry for entry in store.choose(sections, exclude) if entry.labelled]
    loaded = load_training_sections(
        store,
        entries,
        options,
        encoder=encoder,
        genes=genes,
        device=device,
        plugins=plugins,
        track=track,
        executor=executor,
    )
    validate: CrossValidation = cross_validate
    with ExitStack() as stack:
        if executor:
            load = TrainingSections(store.path, tuple(entries), options, encoder, genes, WorkingFolder())
            validate = FoldsOnExecutor(
                executor=executor,
                sections=stack.enter_context(for_workers(executor, load, loaded)),
                options=options,
                heads=Local(load_heads, plugins.heads),
                device=device,
                track=track,
            )
        if folder:
            here = not executor or executor.same_machine
            facts = training_facts(options, plugins.heads, choose_device(device), here=here)
            validate = KeptGroups(folder=folder, facts=facts, validate=validate)
        stack.enter_context(one_thread())
        trained = train_calibrated(
            loaded,
            options,
            heads=plugins.heads,
            device=choose_device(device),
            on_event=on_event,
            validate=validate,
        )
    return replace(Detector.from_training(trained, options, loaded, encoder), resumed_from=folder)


def trainable(options: TrainOptions | str | None, plugins: Plugins) -> TrainOptions:
    """Return training options with the head's canonical name; refuse a head that is not trained."""
    resolved = resolve_train_options(options).canonical(plugins.heads)
    if not plugins.heads.load(resolved.head.name).trainable:
        raise untrainable(resolved.head.name)
    return resolved


def resolve_train_options(options: TrainOptions | str | None) -> TrainOptions:
    """Return training options from options, from the name of a head, or the defaults for None."""
    return TrainOptions(head=options) if isinstance(options, str) else options or TrainOptions()


def resolve_encoder(encoder: str | None, plugins: Plugins, *, genes: bool) -> str:
    """Return the name under which an encoder's embeddings are stored; empty for None and ``none``.

    Raises
    ------
    ConfigError
        If neither image nor genes are used.
    """
    if encoder in {None, "", "none"}:
        if not genes:
            raise ConfigError("neither an encoder nor genes are used", hint="name an encoder, or use genes")
        return ""
    return plugins.encoders.canonical(str(encoder))
