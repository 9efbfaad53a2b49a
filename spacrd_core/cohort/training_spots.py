"""The neighbourhood means of all training spots, for what a head fits to them at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.device_matrix import CPU, on_device
from spacrd_core.cohort.few_labels import split_by_labels
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.neighbourhood_means import BLOCK, NeighbourhoodMeans
from spacrd_core.cohort.operators import column_means, dense_operator, stacked
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.weights import balanced_weights

FEW_SPOTS = 8192  # 128 MiB for 4,000 genes


@dataclass(frozen=True, eq=False)
class TrainingSpots:
    """One modality of the training spots that have it; many spots are never dense as a whole.

    Attributes
    ----------
    parts
        Neighbourhood means of the features, section by section.
    labels, weights
        Of every spot in order, as in :class:`~spacrd_core.cohort.batch.Batch`.
    device
        Where products with the means are computed.
    """

    parts: tuple[NeighbourhoodMeans, ...]
    labels: Int[Array, " spots"]
    weights: Float[Array, " spots"]
    device: torch.device = CPU

    @classmethod
    def by_modality(cls, sections: Sequence[PreparedSection], device: torch.device = CPU) -> dict[str, Self]:
        """Return the spots of each modality, in the order of cohorts.

        Of patients with few labels, they are the labelled ones alone (:mod:`spacrd_core.cohort.few_labels`).
        """
        enough = {section.id for section in split_by_labels([prepared.section for prepared in sections])[0]}
        rows = [_rows(prepared.section, whole=prepared.section.id in enough) for prepared in sections]
        weights = split_by_section(balanced_spot_weights(sections), sections)
        order = sorted(range(len(sections)), key=lambda index: list(MODALITIES).index(sections[index].modalities))
        means = {index: sections[index].means for index in order}
        found = {}
        for name in ("genes", "image"):
            members = [index for index in order if name in means[index]]
            if members:
                labels = [sections[index].section.labels[rows[index]] for index in members]
                parts = tuple(means[index][name].of_spots(rows[index]) for index in members)
                spot_weights = np.concatenate([weights[index][rows[index]] for index in members])
                found[name] = cls(parts, np.concatenate(labels), spot_weights, device)
        return found

    @classmethod
    def from_batches(cls, batches: Sequence[Batch]) -> dict[str, Self]:
        """Return the spots of each modality in batches; the centres of a batch are all of its spots, in order."""
        found = {}
        for name in ("genes", "image"):
            members = [batch for batch in batches if getattr(batch, name) is not None]
            if members:
                parts = [
                    NeighbourhoodMeans.of(
                        getattr(batch, name).cpu().numpy(),
                        batch.neighbours.cpu().numpy(),
                        batch.present.cpu().numpy(),
                    )
                    for batch in members
                ]
                labels, weights = (
                    np.concatenate([getattr(batch, values).cpu().numpy() for batch in members])
                    for values in ("labels", "weights")
                )
                found[name] = cls(tuple(parts), labels, weights)
        return found

    @cached_property
    def means(self) -> LinearOperator:
        """The neighbourhood means of all spots (spots x features)."""
        if self._rows is not None:
            return dense_operator(on_device(self._rows, self.device))
        return stacked([part.operator(self.device) for part in self.parts])

    @cached_property
    def average(self) -> Float[Array, "features 1"]:
        """The mean of every feature."""
        return column_means(self.means)

    @cached_property
    def variance(self) -> float:
        """The mean over features of their variance."""
        spots, features = self.means.shape
        squares = [np.square(block - self.average.T).sum(dtype=np.float64) for block in self.blocks()]
        return float(np.sum(squares) / max(spots - 1, 1) / features)

    def blocks(self) -> Iterator[Float[Array, "block features"]]:
        """Yield the means of all spots, some spots at a time."""
        if self._rows is not None:
            yield from (self._rows[start : start + BLOCK] for start in range(0, len(self._rows), BLOCK))
        else:
            for part in self.parts:
                yield from part.blocks()

    @cached_property
    def _rows(self) -> Float[Array, "spots features"] | None:
        """The means of few spots, dense: products with them are faster."""
        return np.concatenate([part.dense() for part in self.parts]) if len(self.labels) <= FEW_SPOTS else None


def _rows(section: SectionData, *, whole: bool) -> Int[Array, " selected"]:
    """The spots of a section that a head is fitted to: all, or those with a label."""
    return np.arange(len(section.labels)) if whole else np.flatnonzero(section.labels >= 0)


def balanced_spot_weights(sections: Sequence[PreparedSection]) -> Float[Array, " spots"]:
    """Return spot weights, balanced over patients and classes; 0 for unknown labels."""
    labels = np.concatenate([prepared.section.labels for prepared in sections])
    patients = np.repeat(
        [prepared.section.patient for prepared in sections], [len(prepared.section.labels) for prepared in sections]
    )
    weights = np.zeros(len(labels), dtype=np.float32)
    known = labels >= 0
    weights[known] = balanced_weights(patients[known], labels[known])
    return weights


def split_by_section(values: Float[Array, " spots"], sections: Sequence[PreparedSection]) -> list[Array]:
    """Return values of all spots, section by section."""
    return np.split(values, np.cumsum([len(prepared.section.labels) for prepared in sections])[:-1])
