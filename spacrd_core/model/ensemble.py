"""An ensemble of fusion heads that differ by seed and share their preprocessing."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Dims
from spacrd_core.cohort.cohort import Cohort, Matrices
from spacrd_core.cohort.few_labels import split_by_labels
from spacrd_core.cohort.modalities import MODALITIES, subsets
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import SimilarTissue, readable
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.devices import effective_precision, matrix_products
from spacrd_core.errors import DetectorError
from spacrd_core.model.computation import Computation
from spacrd_core.model.fit import EXACT, Epoch, fit
from spacrd_core.model.head import Head
from spacrd_core.model.options import HeadOptions, resolve_cohort_options
from spacrd_core.model.out_of_distribution import MahalanobisOOD
from spacrd_core.model.random_stream import RandomStream
from spacrd_core.model.scoring_blocks import ScoringBlocks
from spacrd_core.plugins import Registry

Output = tuple[Array, Array]  # logits and fused features of every spot

SCORING_BATCH = 4096
MIN_FACTOR_AGREEMENT = 1.4  # similar tissue exceeds it even with a few hundred genes; misnamed genes give 1


@dataclass(frozen=True)
class Scores:
    """An ensemble's scores of a section's spots.

    Attributes
    ----------
    logits
        Members x spots, by modalities.
    ood
        Out-of-distribution score of each spot: above 1 if it is farther out than 95 % of the training spots, and for
        all spots of a section whose genes do not covary as in training.
    """

    logits: dict[str, Array]
    ood: Array


@dataclass(frozen=True)
class Ensemble:
    """Heads that differ by seed, their preprocessing, and the distribution of the training spots.

    ``precision`` is that of their matrix products, in training and in scoring: calibrated logits are those of one
    precision. ``modalities`` are the sets of modalities that training sections had, the widest first. An ensemble that
    only scores held-out patients (:meth:`logits`) has no distribution.
    """

    preprocessor: Preprocessor
    heads: tuple[Head, ...]
    training_distribution: tuple[dict[str, MahalanobisOOD], ...]
    device: torch.device
    modalities: tuple[str, ...]
    precision: str = "fp32"

    @classmethod
    def train(  # noqa: PLR0913 - what a training depends on
        cls,
        sections: Sequence[SectionData],
        *,
        head_options: HeadOptions,
        options: CohortOptions,
        seeds: Sequence[int],
        heads: Registry[Any],
        device: torch.device,
        computation: Computation = EXACT,
        on_epoch: Callable[[Epoch], None] = lambda _: None,
        logits_only: bool = False,
    ) -> Self:
        """Train one head per seed on all spots of these sections.

        The preprocessing is fitted to the patients with labels enough (:mod:`spacrd_core.cohort.few_labels`).
        ``logits_only`` leaves out the distribution of the training spots, which
        :meth:`logits` does not use.
        """
        resolved = resolve_cohort_options(options, head_options, heads)
        shaping, others = split_by_labels(sections)
        preprocessor, prepared = Preprocessor.fit_transform(shaping, resolved, device=device)
        prepared = [*prepared, *(preprocessor.transform(section) for section in others)]
        members = [_untrained(head_options, heads, preprocessor.dims, seed).to(device) for seed in seeds]
        _fit_training_spots(members, prepared, device)
        cohorts = Cohort.by_modalities(prepared, device, members[0].matrices())
        for number, (seed, head) in enumerate(zip(seeds, members, strict=True)):
            for epoch in fit(head, cohorts, seed=seed, epochs=head_options.epochs, computation=computation):
                on_epoch(replace(epoch, done=(number + epoch.done) / len(members)))
        precision = effective_precision(computation.precision, device)
        with matrix_products(precision, device):
            distribution = () if logits_only else tuple(_fit_distribution(head, cohorts) for head in members)
        measured = {subset for cohort in cohorts for subset in subsets(cohort.modalities)}
        modalities = tuple(name for name in MODALITIES if name in measured)
        return cls(preprocessor, tuple(members), distribution, device, modalities, precision)

    @property
    def scores_modalities_separately(self) -> bool:
        """Whether the heads were trained to score either modality alone."""
        return all(head.scores_modalities_separately for head in self.heads)

    @property
    def uses_prior(self) -> bool:
        """Whether the heads' logits are combined with what a section says of itself, unless switched off."""
        return all(head.uses_prior for head in self.heads)

    def prepare(self, section: SectionData) -> PreparedSection:
        """Return a section as the ensemble reads it.

        Raises
        ------
        DetectorError
            If the section has nothing that the ensemble reads, or is of another species.
        """
        prepared = self.preprocessor.transform(section)
        self.modalities_of(prepared)
        return prepared

    def modalities_of(self, section: PreparedSection) -> str:
        """Return the modalities by which a section is scored: the widest set that it has and the ensemble reads.

        Raises
        ------
        DetectorError
            If there is none.
        """
        candidates = subsets(section.modalities) if section.modalities else ()
        readable = [modalities for modalities in candidates if modalities in self.modalities]
        if not readable:
            reason = section.missing_genes
            raise DetectorError(
                f"section '{section.section.id}' has nothing that the detector reads ({' or '.join(self.modalities)})",
                hint=f"{reason}; check that its genes are named by symbol or Ensembl id" if reason else "",
            )
        return readable[0]

    def score(
        self,
        section: PreparedSection,
        modalities: str = "",
        wanted: Sequence[str] = (),
        *,
        batch_size: int = SCORING_BATCH,
    ) -> Scores:
        """Return the scores of a section's spots by every member.

        Parameters
        ----------
        modalities
            What the section is scored by (default: the widest set); similar tissue is found and the out-of-distribution
            score is computed with these.
        wanted
            The subsets whose logits are returned (default: all that the ensemble reads), smoothed over similar tissue.
        batch_size
            Spots that are dense at a time, a block (:mod:`spacrd_core.model.scoring_blocks`) at least; it bounds memory
            and changes no score.
        """
        modalities = modalities or self.modalities_of(section)
        wanted = wanted or [subset for subset in subsets(modalities) if subset in self.modalities]
        outputs = self._run_heads(section, (modalities, *wanted), batch_size)
        distances = [
            distribution[modalities].score(features)
            for distribution, (_, features) in zip(self.training_distribution, outputs[modalities], strict=True)
        ]
        ood = _with_factor_agreement(np.mean(distances, axis=0), section, modalities)
        return Scores(self._smoothed(outputs, section, {modalities: wanted})[modalities], ood)

    def logits(self, section: PreparedSection, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Array]]:
        """Return the logits of :meth:`score` alone, for several sets of modalities, each with its wanted subsets."""
        outputs = self._run_heads(section, itertools.chain(*wanted.values()), SCORING_BATCH)
        return self._smoothed(outputs, section, wanted)

    def _run_heads(self, section: PreparedSection, wanted: Iterable[str], batch_size: int) -> dict[str, list[Output]]:
        """Every member's logits and features by some sets of modalities."""
        read = _read_by(self.heads, Cohort.for_scoring(section, self.device), batch_size)
        with matrix_products(self.precision, self.device):
            return {
                subset: [run_head(head, blocks, subset) for head, blocks in zip(self.heads, read, strict=True)]
                for subset in dict.fromkeys(wanted)
            }

    def _smoothed(
        self,
        outputs: Mapping[str, Sequence[Output]],
        section: PreparedSection,
        wanted: Mapping[str, Sequence[str]],
    ) -> dict[str, dict[str, Array]]:
        """The wanted logits (members x spots), averaged over tissue that is similar by each set of modalities."""
        smooth = self._smoothing(section, wanted)
        return {
            modalities: {
                subset: np.stack([average(values) for values, _ in outputs[subset]]) for subset in wanted[modalities]
            }
            for modalities, average in ((modalities, smooth(modalities)) for modalities in wanted)
        }

    def _smoothing(
        self, section: PreparedSection, modality_sets: Iterable[str]
    ) -> Callable[[str], Callable[[Array], Array]]:
        """The average over tissue that is similar by some modalities."""
        if not all(head.smooths for head in self.heads):
            return lambda _: np.asarray
        read = frozenset[str]().union(*(MODALITIES[modalities] for modalities in modality_sets))
        features = {name: readable(means, SCORING_BATCH) for name, means in section.means.items() if name in read}
        similar = SimilarTissue.of(section.section.xy_um, section.section.pitch_um, features)
        return lambda modalities: similar.by(name for name in features if name in MODALITIES[modalities])


def _untrained(head_options: HeadOptions, heads: Registry[Any], dims: Dims, seed: int) -> Head:
    """A new head, whose random weights the seed determines."""
    with RandomStream(seed, torch.device("cpu")):
        head: Head = heads.create(head_options.name, head_options.options, dims=dims)
    return head


def _fit_training_spots(members: Sequence[Head], sections: Sequence[PreparedSection], device: torch.device) -> None:
    """Fit the first member to all training spots at once; the others take its buffers."""
    first, *others = members
    with torch.no_grad():
        first.fit_training_spots(TrainingSpots.by_modality(sections, device))
        for head in others:
            for own, fitted in zip(head.buffers(), first.buffers(), strict=True):
                own.copy_(fitted)


def _read_by(heads: Sequence[Head], cohort: Cohort, batch_size: int) -> list[ScoringBlocks]:
    """A cohort as each head reads it; heads with the same matrices share it."""
    read: list[tuple[Matrices, ScoringBlocks]] = []
    for matrices in (head.matrices() for head in heads):
        same = next((found for known, found in read if _equal(known, matrices)), None)
        read.append((matrices, same or ScoringBlocks.of(cohort.project(matrices), batch_size)))
    return [found for _, found in read]


def _equal(first: Matrices, second: Matrices) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def run_head(head: Head, blocks: ScoringBlocks, modalities: str) -> Output:
    """Return the logits and fused features of every spot, scored by these modalities."""
    spots, logits, features = [], [], []
    with torch.inference_mode():
        for centres, batch in blocks:
            fused = head.features(batch.select(modalities))
            spots.append(centres)
            logits.append(head.classify(fused))
            features.append(fused)
    order = torch.argsort(torch.cat(spots)).numpy()
    return torch.cat(logits).cpu().double().numpy()[order], torch.cat(features).cpu().double().numpy()[order]


def _with_factor_agreement(distances: Array, section: PreparedSection, modalities: str) -> Array:
    """Raise the out-of-distribution score of a whole section whose genes do not covary as in training."""
    if "genes" not in MODALITIES[modalities]:
        return distances
    return np.maximum(distances, (MIN_FACTOR_AGREEMENT / section.factor_agreement) ** 2)


def _fit_distribution(head: Head, cohorts: Sequence[Cohort]) -> dict[str, MahalanobisOOD]:
    """The distribution of the training spots' features, for every set of modalities that some of them have."""
    features: dict[str, list[Array]] = {}
    for cohort in cohorts:
        for modalities in subsets(cohort.modalities):
            features.setdefault(modalities, []).append(run_head(head, ScoringBlocks(cohort), modalities)[1])
    return {modalities: MahalanobisOOD.fit(np.concatenate(parts)) for modalities, parts in features.items()}
