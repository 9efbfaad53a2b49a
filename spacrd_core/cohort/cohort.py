"""The tensors of some sections for one detector. They live on the device; a batch is indices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse.linalg import LinearOperator
from torch import Tensor

from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.gene_rows import GeneRows
from spacrd_core.cohort.modalities import VIEWS, view_of
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import neighbourhood_means
from spacrd_core.cohort.weights import balanced_weights

BLOCK_PITCHES = 11.0


@dataclass(frozen=True)
class Cohort:
    """Features, neighbourhoods and labels of the spots of some sections, one after another.

    All sections of a cohort have the same modalities; :meth:`parted` takes sections that have not. Features, labels and
    weights live on the device; neighbourhoods stay with the host, which plans a batch while the device is at the last.
    """

    genes: Float[Tensor, "spots genes"] | GeneRows | None
    image: Float[Tensor, "spots dim"] | None
    neighbours: Int[Tensor, "spots k"]
    present: Bool[Tensor, "spots k"]
    labels: Int[Tensor, " spots"]
    weights: Float[Tensor, " spots"]
    blocks: Int[Tensor, " spots"]

    @classmethod
    def of(cls, sections: Sequence[SectionData], lens: Lens, device: torch.device) -> Self:
        """Return the tensors of sections, as a detector with that lens sees them."""
        around = [lens.around(section) for section in sections]
        starts = np.cumsum([0] + [len(section.labels) for section in sections])
        indices = [index + start for (index, _), start in zip(around, starts, strict=False)]
        labels = np.concatenate([section.labels for section in sections])
        return cls(
            genes=_stack([lens.genes(section) for section in sections], device),
            image=_stack([lens.image(section) for section in sections], device),
            neighbours=torch.from_numpy(np.concatenate(indices)),
            present=torch.from_numpy(np.concatenate([present for _, present in around])),
            labels=torch.from_numpy(labels).to(device),
            weights=torch.from_numpy(_weights(sections)).to(device),
            blocks=torch.from_numpy(_blocks(sections)),
        )

    @classmethod
    def to_score(cls, section: SectionData, lens: Lens, device: torch.device, *, batch_size: int) -> Self:
        """Return the tensors of one section; of more spots than a batch, genes are dense one batch at a time."""
        cohort, genes = cls.of([replace(section, expression=None)], lens, device), lens.gene_rows(section)
        if genes is None or len(genes) > batch_size:
            return replace(cohort, genes=genes)
        return replace(cohort, genes=genes[:].to(device))

    @classmethod
    def parted(cls, sections: Sequence[SectionData], lens: Lens, device: torch.device) -> tuple[Self, ...]:
        """Return a cohort for every choice of modalities among the sections, balanced over all of them."""
        views = np.array([lens.view(section) for section in sections])
        weights = np.split(_weights(sections), np.cumsum([len(section.labels) for section in sections])[:-1])
        parts = []
        for view in (view for view in VIEWS if view in views):
            chosen = np.flatnonzero(views == view).tolist()
            part = cls.of([sections[index] for index in chosen], lens, device)
            balanced = np.concatenate([weights[index] for index in chosen])
            parts.append(replace(part, weights=torch.from_numpy(balanced).to(device)))
        return tuple(parts)

    @property
    def view(self) -> str:
        """What its spots are read by, as in :mod:`spacrd_core.cohort.modalities`."""
        return view_of(genes=self.genes, image=self.image)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, centres: Int[Tensor, " centres"]) -> Batch:
        """Return a batch that holds each spot these centres need once."""
        needed, position = torch.unique(self._around(centres), return_inverse=True)
        needed, position, present, centres = map(self._there, (needed, position, self.present[centres], centres))
        return Batch(
            genes=None if self.genes is None else self.genes[needed],
            image=None if self.image is None else self.image[needed],
            neighbours=position,
            present=present,
            labels=self.labels[centres],
            weights=self.weights[centres],
        )

    def needed(self, centres: Int[Tensor, " centres"]) -> Int[Tensor, " spots"]:
        """Return the spots that a batch of these centres holds, in its order."""
        needed: Int[Tensor, " spots"] = torch.unique(self._around(centres))
        return needed

    def _around(self, centres: Int[Tensor, " centres"]) -> Int[Tensor, "centres k"]:
        """The neighbourhoods of some spots, padded with the spot itself."""
        around = self.neighbours[centres]
        return torch.where(self.present[centres], around, around[:, :1])

    def everything(self) -> Batch:
        """Return all spots as one batch, without a copy of their features."""
        around, present = self._there(self.neighbours), self._there(self.present)
        return Batch(
            None if self.genes is None else self.genes[:], self.image, around, present, self.labels, self.weights
        )

    def _there(self, indices: Tensor) -> Tensor:
        return indices.to(self.labels.device)

    def shuffled(self, batch_size: int, generator: torch.Generator) -> tuple[Int[Tensor, " centres"], ...]:
        """Return the centres of batches that visit every spot once, each made of spatial blocks of many sections.

        Neighbours share a block, so a batch needs few spots beside its centres, while blocks from many sections keep
        batch statistics honest.
        """
        names, members = torch.unique(self.blocks, return_inverse=True)
        rank = torch.randperm(len(names), generator=generator)[members]
        visits: Int[Tensor, " centres"] = torch.argsort(rank, stable=True)
        return tuple(visits[start : start + batch_size] for start in range(0, len(visits), batch_size))

    def by_blocks(self, batch_size: int) -> Iterator[tuple[Int[Tensor, " centres"], Batch]]:
        """Yield every spot once, block by block whatever their order: which they are, and their batch."""
        for centres in torch.argsort(self.blocks, stable=True).split(batch_size):
            yield centres, self.batch(centres)

    def means(self, view: str) -> list[LinearOperator]:
        """Return the neighbourhood means of a view's modalities, of all spots in order."""
        held = [features for name in sorted(VIEWS[view]) if (features := getattr(self, name)) is not None]
        return [neighbourhood_means(features, self.neighbours, self.present) for features in held]


def shuffled(cohorts: Sequence[Cohort], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield every spot of the cohorts once, in batches of one cohort each that come in random order."""
    batches = [(cohort, centres) for cohort in cohorts for centres in cohort.shuffled(batch_size, generator)]
    for index in torch.randperm(len(batches), generator=generator).tolist():
        cohort, centres = batches[index]
        yield cohort.batch(centres)


def _stack(parts: list[Any], device: torch.device) -> Tensor | None:
    if any(part is None for part in parts):
        return None
    return torch.from_numpy(np.concatenate(parts)).to(device)


def _weights(sections: Sequence[SectionData]) -> Any:
    """Balanced over patients and classes; unknown labels weigh nothing."""
    labels = np.concatenate([section.labels for section in sections])
    owners = np.concatenate([[section.patient] * len(section.labels) for section in sections])
    weights = np.zeros(len(labels), dtype=np.float32)
    known = labels >= 0
    weights[known] = balanced_weights(owners[known], labels[known])
    return weights


def _blocks(sections: Sequence[SectionData]) -> Any:
    """A number for the square of tissue each spot lies in."""
    keys = [
        np.column_stack([np.full(len(section.labels), index), section.xy_um // (BLOCK_PITCHES * section.pitch_um)])
        for index, section in enumerate(sections)
    ]
    return np.unique(np.concatenate(keys), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
