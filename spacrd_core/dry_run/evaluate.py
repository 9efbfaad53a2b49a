"""The plan of ``spacrd evaluate``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.cohort.modalities import MODALITIES, join_modalities, subsets
from spacrd_core.detector.load_sections import read_training_sections
from spacrd_core.detector.train import resolve_encoder
from spacrd_core.devices import choose_device
from spacrd_core.dry_run.plan import Duration, Plan, Space
from spacrd_core.dry_run.rates import training_time
from spacrd_core.dry_run.staining import plan_staining
from spacrd_core.dry_run.train import section_items
from spacrd_core.evaluation.evaluate import By, comparable
from spacrd_core.evaluation.plan import plan
from spacrd_core.evaluation.run import make_schedule
from spacrd_core.executors.local import Local
from spacrd_core.model.options import DEFAULT_HEAD
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.evaluation.schedule import Schedule
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.store import SpotStore

ROW_BYTES = 900  # of the JSON file, of a held-out section


def plan_evaluate(  # noqa: PLR0913 - those of evaluate
    store: SpotStore,
    heads: str | Sequence[str | TrainOptions] = (DEFAULT_HEAD,),
    *,
    encoder: str | None,
    genes: bool = True,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    seeds: Sequence[int] = (42,),
    by: By = "patient",
    device: str = "auto",
    output: Path | None = None,
    plugins: Plugins | None = None,
    elsewhere: bool = False,
    track: Track = silent,
) -> Plan:
    """Return what :func:`spacrd_core.evaluation.evaluate.evaluate` would do; errors are the same."""
    plugins = plugins or load_plugins()
    choose_device(device)
    encoder_name = resolve_encoder(encoder, plugins, genes=genes)
    compared = comparable(heads, seeds, by, plugins)
    chosen = store.choose(sections, exclude)
    entries = [entry for entry in chosen if entry.labelled]
    loaded = read_training_sections(store, entries, compared[0], encoder=encoder_name, genes=genes, track=track)
    tests = plan(loaded, compared, subsets(join_modalities(genes=genes, image=bool(encoder_name))), seeds, by)
    schedule = make_schedule(tests, Local(list, loaded), encoder=encoder_name, heads=plugins.heads)
    stained = plan_staining(
        store, entries, compared[0], encoder=encoder_name, device=device, plugins=plugins, elsewhere=elsewhere
    )
    space = [Space.below(store.path, sum(item.bytes for each in stained for item in each.items))]
    if output:
        space.append(Space.below(output.parent, ROW_BYTES * len(loaded) * len(compared) * len(seeds)))
    trained = training_time(_training_spots(schedule, loaded), len(loaded))
    return Plan(
        step="evaluate",
        items=section_items(chosen, [section for section in loaded if section.classes], stained),
        tasks=len(schedule),
        unit="trainings",
        space=tuple(space),
        time=Duration.total([*(each.time for each in stained), trained]),
    )


def _training_spots(schedule: Schedule, loaded: Sequence[SectionData]) -> list[tuple[TrainOptions, float]]:
    """Return the options of every head, with the labelled spots of all its trainings times their modalities."""
    spots = {section.id: int((section.labels >= 0).sum()) for section in loaded}
    total: dict[str, float] = defaultdict(float)
    options: dict[str, TrainOptions] = {}
    for task, training in schedule.trainings():
        options[task.head] = task.options
        total[task.head] += sum(spots[section] for section in training) * len(MODALITIES[task.modalities])
    return [(options[head], total[head]) for head in options]
