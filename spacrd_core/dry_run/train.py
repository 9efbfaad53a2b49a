"""The plan of ``spacrd train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.detector.load_sections import read_training_sections
from spacrd_core.detector.train import resolve_encoder, trainable
from spacrd_core.devices import choose_device
from spacrd_core.dry_run.plan import Duration, Item, Plan, Space
from spacrd_core.dry_run.rates import DETECTOR_FILES, DETECTOR_MEMBER, training_time
from spacrd_core.dry_run.staining import plan_staining
from spacrd_core.model.training_set import TrainingSet
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.model.folds import Groups
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def plan_train(  # noqa: PLR0913 - those of train
    store: SpotStore,
    options: TrainOptions | str | None = None,
    *,
    encoder: str | None,
    output: Path,
    genes: bool = True,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    device: str = "auto",
    plugins: Plugins | None = None,
    elsewhere: bool = False,
    track: Track = silent,
) -> Plan:
    """Return what :func:`spacrd_core.detector.train.train` would do; errors are the same."""
    plugins = plugins or load_plugins()
    choose_device(device)
    encoder = resolve_encoder(encoder, plugins, genes=genes)
    options = trainable(options, plugins)
    chosen = store.choose(sections, exclude)
    entries = [entry for entry in chosen if entry.labelled]
    loaded = read_training_sections(store, entries, options, encoder=encoder, genes=genes, track=track)
    training = TrainingSet.select(loaded, options, plugins.heads).sections
    groups = options.groups(training) if options.calibrate else ()
    stained = plan_staining(
        store, entries, options, encoder=encoder, device=device, plugins=plugins, elsewhere=elsewhere
    )
    modalities = int(bool(encoder)) + int(genes)
    return Plan(
        step="train",
        items=section_items(chosen, training, stained),
        tasks=len(groups) + 1,
        unit="trainings",
        space=(
            Space.below(store.path, sum(item.bytes for plan in stained for item in plan.items)),
            Space.below(output, DETECTOR_FILES + DETECTOR_MEMBER * options.seeds),
        ),
        time=Duration.total(
            [
                *(plan.time for plan in stained),
                training_time([(options, modalities * _training_spots(training, groups))], len(training)),
            ]
        ),
    )


def section_items(
    chosen: Sequence[SectionEntry], training: Sequence[SectionData], stained: Sequence[Plan]
) -> tuple[Item, ...]:
    """Return what is done with every section of the store that was chosen."""
    labelled = {section.id: section for section in training}
    sizes = {item.section: item.bytes for plan in stained for item in plan.items}
    items = []
    for entry in chosen:
        section = labelled.get(entry.id)
        if section is None:
            items.append(Item(entry.id, "not used", "no labels"))
        else:
            note = f"patient {entry.patient}, {len(section.labels)} spots"
            items.append(Item(entry.id, "to do", note, sizes.get(entry.id, 0)))
    return tuple(items)


def _training_spots(training: Sequence[SectionData], groups: Groups) -> float:
    """Return the labelled spots of all trainings: without every group in turn, and of all patients."""
    spots = [(section.patient, int((section.labels >= 0).sum())) for section in training]
    left_out: Groups = ((), *groups)
    return float(sum(number for group in left_out for patient, number in spots if patient not in group))
