"""Evaluation of heads on a cohort: every patient held out in turn, heads and modalities side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from spacrd_core._version import __version__
from spacrd_core.cohort.modalities import join_modalities, subsets
from spacrd_core.detector.load_sections import load_training_sections
from spacrd_core.detector.train import resolve_encoder
from spacrd_core.detector.training_sections import TrainingSections
from spacrd_core.devices import choose_device, default_jobs, effective_precision
from spacrd_core.errors import ConfigError
from spacrd_core.evaluation.comparison import Difference, compare_with_baseline, compare_with_single_modalities
from spacrd_core.evaluation.plan import Task, plan
from spacrd_core.evaluation.rows import rows_by_prior
from spacrd_core.evaluation.run import run
from spacrd_core.evaluation.summary import Row, Summary, summarise
from spacrd_core.executors.local import for_workers
from spacrd_core.executors.processes import Processes
from spacrd_core.executors.serial import Serial
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.metrics.bootstrap import interval_note
from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.model.options import BASELINE_HEAD, DEFAULT_HEAD, PRIOR_HEAD, resolve_cohort_options
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from spacrd_core.cards import HeadCard
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.pool import Executor
    from spacrd_core.plugins import Registry
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.store import SpotStore

By = Literal["patient", "section"]


@dataclass(frozen=True)
class Evaluation:
    """The metrics of every held-out section, and the protocol: what was held out, the heads, options and rules."""

    rows: tuple[Row, ...]
    protocol: Mapping[str, Any]

    @cached_property
    def summary(self) -> Summary:
        """Means over patients, their spread and interval, by head and modalities; a notebook shows a table."""
        return Summary(summarise(self.rows))

    @cached_property
    def differences(self) -> list[Difference]:
        """Every head against the baseline, and every fusion against the better single modality, patient by patient."""
        return [
            *compare_with_baseline(self.rows, BASELINE_HEAD),
            *compare_with_baseline([row for row in self.rows if row.head != BASELINE_HEAD], PRIOR_HEAD),
            *compare_with_single_modalities(self.rows),
        ]

    @property
    def table(self) -> pd.DataFrame:
        """One row per held-out section, head, set of modalities and seed."""
        return pd.DataFrame([row.model_dump() for row in self.rows])

    def document(self) -> dict[str, Any]:
        """Return the evaluation as one JSON document."""
        note = interval_note(max((len(line["auc_by_patient"]) for line in self.summary), default=0))
        return {
            "protocol": dict(self.protocol) | {"interval": note},
            "rows": [row.model_dump() for row in self.rows],
            "summary": [*self.summary],
            "differences": [difference.model_dump() for difference in self.differences],
        }


def evaluate(  # noqa: PLR0913 - the arguments of the command
    store: SpotStore,
    heads: str | Sequence[str | TrainOptions] = (DEFAULT_HEAD, BASELINE_HEAD),
    *,
    encoder: str | None,
    genes: bool = True,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    seeds: Sequence[int] = (42,),
    by: By = "patient",
    jobs: int | None = None,
    executor: Executor | None = None,
    device: str = "auto",
    plugins: Plugins | None = None,
    track: Track = silent,
) -> Evaluation:
    """Evaluate heads on patients they were not trained on, with each modality alone and all together.

    The built-in detector ``prior``, which no labels train, is always shown beside them.

    >>> evaluation = evaluate(store, ["linear"], encoder="stain", jobs=1)
    >>> evaluation.table.groupby("modalities")["auc"].mean().round(1)
    modalities
    genes          1.0
    image          1.0
    image+genes    1.0
    Name: auc, dtype: float64

    ``jobs`` is the number of processes (default: one per core, or 1 on CUDA), unless another ``executor`` is given; the
    metrics depend on neither. Workers of another machine load the sections from the store.

    Raises
    ------
    TrainingError
        If there are fewer than two patients to hold out (with ``by`` section: labelled sections).
    """
    plugins, torch_device = plugins or load_plugins(), choose_device(device)
    encoder_name = resolve_encoder(encoder, plugins, genes=genes)
    compared = comparable(heads, seeds, by, plugins)
    entries = [entry for entry in store.choose(sections, exclude) if entry.labelled]
    executor = executor or _processes(jobs or default_jobs(torch_device))
    loaded: Sequence[SectionData] = load_training_sections(
        store,
        entries,
        compared[0],
        encoder=encoder_name,
        genes=genes,
        device=device,
        plugins=plugins,
        track=track,
        executor=executor,
    )
    load = TrainingSections(store.path, tuple(entries), compared[0], encoder_name, genes, WorkingFolder())
    modality_sets = subsets(join_modalities(genes=genes, image=bool(encoder_name)))
    tasks = plan(loaded, compared, modality_sets, seeds, by)
    with for_workers(executor, load, loaded) as shared:
        runs = run(
            tasks, shared, encoder=encoder_name, device=device, heads=plugins.heads, executor=executor, track=track
        )
        rows = [*runs]
    by_prior = rows_by_prior(loaded, compared[0].prior, modality_sets, seeds, encoder_name)
    inputs = {"encoder": encoder_name or "none", "genes": genes}
    protocol = {"held_out": by, **_held_out(tasks, by, seeds[0]), "seeds": list(seeds), **inputs}
    protocol |= _protocol(compared, plugins.heads, torch_device)
    return Evaluation((*rows, *by_prior), protocol)


def comparable(
    heads: str | Sequence[str | TrainOptions], seeds: Sequence[int], by: str, plugins: Plugins
) -> list[TrainOptions]:
    """Return the options of every head that is trained.

    Raises
    ------
    ConfigError
        If their metrics would be missing or misleading.
    """
    named = [_options(head).canonical(plugins.heads) for head in ([heads] if isinstance(heads, str) else heads)]
    compared = [options for options in named if plugins.heads.load(options.head.name).trainable]
    _require_comparable(compared, seeds, by)
    return compared


def _processes(jobs: int) -> Executor:
    """Return the executor of a number of processes; one is this process."""
    return Serial() if jobs == 1 else Processes(jobs)


def _options(head: str | TrainOptions) -> TrainOptions:
    """Return the options of one training; an evaluation repeats it by seed and needs no ensemble."""
    return TrainOptions(head=head, seeds=1) if isinstance(head, str) else head


def _require_comparable(heads: Sequence[TrainOptions], seeds: Sequence[int], by: str) -> None:
    """Raise ConfigError for an evaluation whose metrics would be missing or misleading."""
    if by not in get_args(By):
        raise ConfigError(f"cannot hold out by '{by}'", hint=f"by={' or '.join(get_args(By))}")
    if not heads or not seeds:
        raise ConfigError("an evaluation needs at least one head and one seed", hint="name at least one of each")
    labels = [_label(options) for options in heads]
    duplicates = sorted({label for label in labels if labels.count(label) > 1})
    if duplicates:
        raise ConfigError(
            f"several heads are named {listed(duplicates)}", hint="HeadOptions(..., label=...) distinguishes them"
        )
    if len({options.folds for options in heads}) > 1:
        raise ConfigError("the heads use different folds, so they learn from different patients", hint="use one value")
    if len({options.cohort.cancer_fraction for options in heads}) > 1:
        raise ConfigError(
            "the heads use different cancer_fraction values, so their labels differ",
            hint="use one cohort.cancer_fraction for all heads",
        )


def _label(options: TrainOptions) -> str:
    return options.head.label or options.head.name


def _held_out(tasks: Sequence[Task], by: str, seed: int) -> dict[str, Any]:
    """Return what was held out together, by modalities, and a clause about it; it is the same for heads and seeds."""
    together: dict[str, list[list[str]]] = {task.modalities: [[*group] for group in task.groups] for task in tasks}
    if by == "section":
        of_one_head = [task for task in tasks if _head_and_seed(task) == _head_and_seed(tasks[0])]
        together = {name: [[*task.test] for task in of_one_head if task.modalities == name] for name in together}
    grouped = [len(groups) for groups in together.values() if any(len(group) > 1 for group in groups)]
    clause = f"{max(grouped)} groups of {by}s, dealt by seed {seed}" if grouped else f"each {by} alone"
    return {"folds": clause, "held_out_together": together}


def _head_and_seed(task: Task) -> tuple[str, int]:
    return task.head, task.options.first_seed


def _protocol(compared: Sequence[TrainOptions], heads: Registry[HeadCard], device: torch.device) -> dict[str, Any]:
    by_label = {_label(options): options for options in compared}
    own_threshold = "threshold chosen on held-out patients inside the training set"
    calibrated = all(options.calibrate for options in compared)
    return {
        "spacrd": __version__,
        "heads": [*by_label],
        "control": BASELINE_HEAD,
        "controls": [BASELINE_HEAD, PRIOR_HEAD],
        "cohort": {
            label: resolve_cohort_options(options.cohort, options.head, heads).model_dump()
            for label, options in by_label.items()
        },
        "head_options": {
            label: heads.options(options.head.name, options.head.options).model_dump(mode="json")
            for label, options in by_label.items()
        },
        "precision": {
            label: effective_precision(options.computation.precision, device) for label, options in by_label.items()
        },
        "label_rule": "undetermined spots are excluded",
        "f1_prevalence": "threshold at the test section's true prevalence; uses the test labels (the published rule)",
        "f1": own_threshold if calibrated else "threshold 0.5 on uncalibrated logits; calibration was switched off",
        "mean": "over sections and seeds within a patient, then over patients; sd is between patients",
        "differences": "of patients' means; the better of several modalities is chosen per patient, by its labels",
    }
