"""How good heads are on a cohort: every patient held out in turn, heads and modalities side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from spacrd_core._version import __version__
from spacrd_core.cohort.modalities import view_of, views_within
from spacrd_core.detector.train import encoder_read, load_to_learn
from spacrd_core.devices import choose_device, usual_jobs
from spacrd_core.errors import ConfigError
from spacrd_core.evaluation import tasks as evaluation
from spacrd_core.evaluation.comparison import Difference, against_control, against_single_modalities
from spacrd_core.evaluation.summary import Row, summarise
from spacrd_core.metrics.bootstrap import how_rough
from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.model.options import CONTROL, USUAL, reading
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.cards import HeadCard
    from spacrd_core.plugins import Registry
    from spacrd_core.store.folder import Names
    from spacrd_core.store.store import SpotStore

By = Literal["patient", "section"]


@dataclass(frozen=True)
class Evaluation:
    """The figures of every held-out section, and how they came about.

    ``protocol`` says what was held out, which heads read what with which options, and by which rules.
    """

    rows: tuple[Row, ...]
    protocol: Mapping[str, Any]

    @cached_property
    def summary(self) -> list[dict[str, Any]]:
        """Means over patients, their spread and interval, by head and modalities."""
        return summarise(self.rows)

    @cached_property
    def differences(self) -> list[Difference]:
        """Every head less the control, and every fusion less the better of its halves, patient by patient."""
        return [*against_control(self.rows, CONTROL), *against_single_modalities(self.rows)]

    @property
    def table(self) -> pd.DataFrame:
        """A row a held-out section under each head, choice of modalities and seed."""
        return pd.DataFrame([row.model_dump() for row in self.rows])

    def document(self) -> dict[str, Any]:
        """Return everything as one JSON-able document."""
        rough = how_rough(max((len(line["auc_by_patient"]) for line in self.summary), default=0))
        return {
            "protocol": dict(self.protocol) | {"interval": rough},
            "rows": [row.model_dump() for row in self.rows],
            "summary": self.summary,
            "differences": [difference.model_dump() for difference in self.differences],
        }


def evaluate(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    heads: str | Sequence[str | TrainOptions] = (USUAL, CONTROL),
    *,
    encoder: str | None,
    genes: bool = True,
    sections: Names = None,
    exclude: Names = None,
    seeds: Sequence[int] = (42,),
    by: By = "patient",
    jobs: int | None = None,
    device: str = "auto",
    plugins: Plugins | None = None,
    track: Track = silent,
) -> Evaluation:
    """Return how well heads find cancer in patients they have not seen: each modality alone and all together.

    >>> figures = evaluate(store, ["linear"], encoder="stain", jobs=1)
    >>> figures.table.groupby("modalities")["auc"].mean().round(1)
    modalities
    genes          1.0
    image          1.0
    image+genes    1.0
    Name: auc, dtype: float64

    ``jobs`` processes share the work (default: one a core, one alone on CUDA); figures do not depend on it.

    Raises
    ------
    TrainingError
        If there are fewer than two patients (``by`` section: labelled sections) to hold one out.
    """
    found, chosen = plugins or load_plugins(), choose_device(device)
    name = encoder_read(encoder, found, genes=genes)
    compared = [_options(head).canonical(found.heads) for head in ([heads] if isinstance(heads, str) else heads)]
    _require_comparable(compared, seeds, by)
    entries = [entry for entry in store.choose(sections, exclude) if entry.labelled]
    loaded = load_to_learn(store, entries, compared[0], encoder=name, genes=genes, track=track)
    views = views_within(view_of(genes=genes, image=bool(name)))
    tasks = evaluation.plan(loaded, compared, views, seeds, by)
    jobs = jobs or usual_jobs(chosen)
    rows = evaluation.run(tasks, loaded, encoder=name, device=chosen, heads=found.heads, jobs=jobs, track=track)
    read = {"encoder": name or "none", "genes": genes}
    return Evaluation(tuple(rows), {"held_out": by, "seeds": list(seeds), **read, **_protocol(compared, found.heads)})


def _options(head: str | TrainOptions) -> TrainOptions:
    """Return the options of one training of a head: an evaluation repeats it by seeds, and needs no ensemble."""
    return TrainOptions(head=head, seeds=1) if isinstance(head, str) else head


def _require_comparable(heads: Sequence[TrainOptions], seeds: Sequence[int], by: str) -> None:
    """Refuse what would give figures that are none, or are of something else than they say."""
    if by not in get_args(By):
        raise ConfigError(f"'{by}' cannot be held out", hint=f"by={' or '.join(get_args(By))}")
    if not heads or not seeds:
        raise ConfigError("there is nothing to evaluate without a head and a seed", hint="name one of each at least")
    labels = [_label(each) for each in heads]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ConfigError(
            f"several heads are called {', '.join(twice)}", hint="HeadChoice(..., label=...) tells them apart"
        )
    if len({each.cohort.cancer_fraction for each in heads}) > 1:
        raise ConfigError(
            "heads that take different shares of cancer as cancer have different truths",
            hint="one cohort.cancer_fraction for all",
        )


def _label(options: TrainOptions) -> str:
    return options.head.label or options.head.name


def _protocol(options: Sequence[TrainOptions], heads: Registry[HeadCard]) -> dict[str, Any]:
    compared = {_label(each): each for each in options}
    threshold = "threshold chosen on held-out patients inside the training set"
    calibrated = all(each.calibrate for each in options)
    return {
        "spacrd": __version__,
        "heads": [*compared],
        "control": CONTROL,
        "cohort": {label: reading(each.cohort, each.head, heads).model_dump() for label, each in compared.items()},
        "head_options": {
            label: heads.options(each.head.name, each.head.options).model_dump(mode="json")
            for label, each in compared.items()
        },
        "label_rule": "undetermined spots are left out",
        "f1_prevalence": "threshold at the test section's true prevalence: uses the test labels (the published rule)",
        "f1": threshold if calibrated else "threshold 0.5 of logits as they are: calibration was not asked for",
        "mean": "over sections and seeds within a patient, then over patients; sd is between patients",
        "differences": "of patients' means; the better of several modalities is taken by patient, by its labels",
    }
