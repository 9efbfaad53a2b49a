"""An ensemble: one lens and several heads that differ by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch

from spacrd_core.arrays import Array
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.gene_factors import GeneFactors
from spacrd_core.cohort.modalities import VIEWS, views_within
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.cohort.scaling import Scale
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import Smoother
from spacrd_core.errors import DetectorError
from spacrd_core.model.fit import Epoch, fit
from spacrd_core.model.head import Head
from spacrd_core.model.label_shift import Composition
from spacrd_core.model.options import HeadChoice, reading
from spacrd_core.model.out_of_distribution import Novelty
from spacrd_core.model.state_dict import arrays, below, named
from spacrd_core.plugins import Registry

SCORING_BATCH = 4096
COMPOSITION = "composition"
KIN = 1.4  # the kinship of genes of like tissue is higher, even of a few hundred; that of wrongly named ones is 1
FITTED: Final[Mapping[str, type[Any]]] = {"image_scale": Scale, "factors": GeneFactors}


@dataclass(frozen=True)
class Scores:
    """What an ensemble says of a section's spots: ``logits`` members x spots, by view, and ``novelty``, one a spot.

    Novelty is above 1 where a spot lies farther out than 95 % of the training spots, and everywhere in a section whose
    genes do not go together as in training.
    """

    logits: dict[str, Array]
    novelty: Array


@dataclass(frozen=True)
class Ensemble:
    """Heads trained alike but for their seeds, and the tissue they know."""

    lens: Lens
    heads: tuple[Head, ...]
    known: tuple[dict[str, Novelty], ...]
    device: torch.device
    composition: Composition | None = None

    @classmethod
    def train(
        cls,
        sections: Sequence[SectionData],
        *,
        choice: HeadChoice,
        options: CohortOptions,
        seeds: Sequence[int],
        heads: Registry[Any],
        device: torch.device,
        watch: Callable[[Epoch], None] = lambda _: None,
    ) -> Self:
        """Train one head a seed on all spots of these sections."""
        lens = Lens.fit(sections, reading(options, choice, heads))
        cohorts = Cohort.parted(sections, lens, device)
        members = []
        for seed in seeds:
            torch.manual_seed(seed)
            head = heads.create(choice.name, choice.options, dims=lens.dims).to(device)
            for epoch in fit(head, cohorts, seed=seed, epochs=choice.epochs):
                watch(epoch)
            members.append(head)
        known = tuple(_known(head, cohorts) for head in members)
        return cls(lens, tuple(members), known, device, Composition.fit(sections, lens))

    @property
    def reads_either(self) -> bool:
        """Whether its heads were trained to read either modality alone."""
        return all(head.reads_either for head in self.heads)

    @property
    def views(self) -> tuple[str, ...]:
        """What spots may be read by: all that some training section measured, the widest first."""
        return tuple(self.known[0])

    def view(self, section: SectionData) -> str:
        """What a section is read by: the widest view that it measures.

        Raises
        ------
        DetectorError
            If it measures nothing that the ensemble reads.
        """
        measured = self.lens.view(section)
        found = [view for view in views_within(measured) if view in self.views] if measured else []
        if not found:
            raise DetectorError(
                f"section '{section.id}' has nothing that the detector reads: {' or '.join(self.views)}",
                hint=f"{short}; are they named by symbol or Ensembl id?"
                if (short := self.lens.shortage(section))
                else "",
            )
        return found[0]

    def score(
        self, section: SectionData, view: str = "", parts: Sequence[str] = (), *, batch_size: int = SCORING_BATCH
    ) -> Scores:
        """Return what every member says of a section's spots, read by a view (default: the widest).

        ``parts`` are the views within it whose logits are wanted (default: all). They are averaged over like tissue, as
        far as the view tells tissues apart. ``batch_size`` bounds memory: how many spots are dense at a time.
        """
        view = view or self.view(section)
        wanted = parts or [part for part in views_within(view) if part in self.views]
        cohort = Cohort.to_score(section, self.lens, self.device, batch_size=batch_size)
        smooth = self._smoother(section, cohort, view)
        outputs = {
            part: [_run(head, cohort, part, batch_size) for head in self.heads]
            for part in dict.fromkeys((view, *wanted))
        }
        away = [known[view].score(seen) for known, (_, seen) in zip(self.known, outputs[view], strict=True)]
        logits = {part: np.stack([smooth(said) for said, _ in outputs[part]]) for part in wanted}
        if "genes" in logits and self.composition:
            logits["genes"] += self.composition.shift(self.level(section), logits["genes"].mean(axis=0))
        if "genes" not in VIEWS[view]:
            return Scores(logits, np.mean(away, axis=0))
        return Scores(logits, np.maximum(np.mean(away, axis=0), (KIN / self.lens.kinship(section)) ** 2))

    def level(self, section: SectionData) -> float:
        """Return where a section's genes stand between normal and cancer; not a number where that is not known."""
        return self.composition.level(section, self.lens) if self.composition else np.nan

    def _smoother(self, section: SectionData, cohort: Cohort, view: str) -> Callable[[Array], Array]:
        if not all(head.smooths for head in self.heads):
            return lambda logits: logits
        return Smoother.of(section.xy_um, section.pitch_um, cohort.means(view))

    def state(self) -> dict[str, torch.Tensor]:
        """Return every tensor of the ensemble by name."""
        tensors: dict[str, torch.Tensor] = {}
        for name in FITTED:
            part = getattr(self.lens, name)
            tensors |= named(name, vars(part)) if part else {}
        tensors |= named(COMPOSITION, vars(self.composition)) if self.composition else {}
        for number, (head, known) in enumerate(zip(self.heads, self.known, strict=True)):
            tensors |= {f"{number}.head.{name}": value for name, value in head.state_dict().items()}
            for view, novelty in known.items():
                tensors |= named(f"{number}.known.{view}", vars(novelty))
        return tensors

    @classmethod
    def of_state(
        cls, tensors: Mapping[str, torch.Tensor], lens: Lens, heads: Sequence[Head], device: torch.device
    ) -> Self:
        """Fill freshly built heads with what :meth:`state` gave; names and shapes must match exactly."""
        known = []
        for number, head in enumerate(heads):
            head.load_state_dict(below(tensors, f"{number}.head."), strict=True)
            head.to(device).eval()
            views = [view for view in VIEWS if f"{number}.known.{view}.mean" in tensors]
            known.append({view: Novelty(**arrays(tensors, f"{number}.known.{view}.")) for view in views})
        owners = (*FITTED, COMPOSITION, *map(str, range(len(heads))))
        left = [name for name in tensors if name.split(".")[0] not in owners]
        if left:
            raise ValueError(f"{len(left)} tensors belong to no member, such as {left[0]}")
        composition = arrays(tensors, f"{COMPOSITION}.")
        return cls(lens, tuple(heads), tuple(known), device, Composition(**composition) if composition else None)


def _run(head: Head, cohort: Cohort, view: str, batch_size: int = SCORING_BATCH) -> tuple[Array, Array]:
    """Logits and features of every spot, seen by a view."""
    spots, logits, features = [], [], []
    with torch.inference_mode():
        for centres, batch in cohort.by_blocks(batch_size):
            fused = head.features(batch.seen_by(view))
            spots.append(centres)
            logits.append(head.classify(fused))
            features.append(fused)
    order = torch.argsort(torch.cat(spots)).numpy()
    return torch.cat(logits).double().cpu().numpy()[order], torch.cat(features).double().cpu().numpy()[order]


def _known(head: Head, cohorts: Sequence[Cohort]) -> dict[str, Novelty]:
    """What the training spots look like to a head, by every view that some of them have."""
    features: dict[str, list[Array]] = {}
    for cohort in cohorts:
        for view in views_within(cohort.view):
            features.setdefault(view, []).append(_run(head, cohort, view)[1])
    return {view: Novelty.fit(np.concatenate(found)) for view, found in features.items()}


def fitted_parts(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Return what its lens had fitted, by field, among an ensemble's tensors."""
    found = {name: arrays(tensors, f"{name}.") for name in FITTED}
    return {name: FITTED[name](**arrays) if arrays else None for name, arrays in found.items()}
