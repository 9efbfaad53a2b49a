"""The tensors of a detector's sections. They live on the device; a batch is a set of indices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Batch, multiply
from spacrd_core.cohort.gene_rows import LazyExpression
from spacrd_core.cohort.modalities import MODALITIES, join_modalities
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.training_spots import balanced_spot_weights, split_by_section
from spacrd_core.devices import copy_to_device

Matrices = Mapping[str, Float[Tensor, "d r"]]

NO_MATRICES: Final[Matrices] = {}
BLOCK_PITCHES = 11.0


@dataclass(frozen=True)
class Cohort:
    """Features, neighbourhoods and labels of the spots of some sections, concatenated.

    All sections of a cohort have the same modalities; :meth:`by_modalities` accepts mixed sections. Features, labels
    and weights live on the device. Neighbourhoods stay on the host, so that the next batch is planned while the device
    computes.
    """

    genes: Float[Tensor, "spots genes"] | LazyExpression | None
    image: Float[Tensor, "spots dim"] | None
    neighbours: Int[Tensor, "spots k"]
    present: Bool[Tensor, "spots k"]
    labels: Int[Tensor, " spots"]
    weights: Float[Tensor, " spots"]
    blocks: Int[Tensor, " spots"]
    projected: bool = False

    @classmethod
    def from_sections(
        cls, sections: Sequence[PreparedSection], device: torch.device, matrices: Matrices = NO_MATRICES
    ) -> Self:
        """Return the tensors of sections, with dense genes.

        With the ``matrices`` of a head, features are their products, and what they are made of is never dense.
        """
        return replace(
            cls._without_features(sections, device),
            genes=_features([section.genes for section in sections], matrices.get("genes"), device),
            image=_features([section.image for section in sections], matrices.get("image"), device),
            projected=bool(matrices),
        )

    @classmethod
    def for_scoring(cls, section: PreparedSection, device: torch.device) -> Self:
        """Return the tensors of one section; genes become dense one batch at a time."""
        image = None if section.image is None else torch.from_numpy(section.image).to(device)
        return replace(cls._without_features([section], device), genes=section.genes, image=image)

    def project(self, matrices: Matrices) -> Self:
        """Return the cohort with the features of each modality times its matrix; genes are never dense."""
        return replace(self, **multiply(self, matrices))

    @classmethod
    def by_modalities(
        cls, sections: Sequence[PreparedSection], device: torch.device, matrices: Matrices = NO_MATRICES
    ) -> tuple[Self, ...]:
        """Return one cohort per set of modalities among the sections, with weights balanced over all of them."""
        measured = np.array([section.modalities for section in sections])
        weights = split_by_section(balanced_spot_weights(sections), sections)
        cohorts = []
        for modalities in (name for name in MODALITIES if name in measured):
            members = np.flatnonzero(measured == modalities).tolist()
            cohort = cls.from_sections([sections[index] for index in members], device, matrices)
            balanced = np.concatenate([weights[index] for index in members])
            cohorts.append(replace(cohort, weights=torch.from_numpy(balanced).to(device)))
        return tuple(cohorts)

    @classmethod
    def _without_features(cls, sections: Sequence[PreparedSection], device: torch.device) -> Self:
        starts = np.cumsum([0] + [len(section.section.labels) for section in sections])
        indices = [section.aligned.neighbours + start for section, start in zip(sections, starts, strict=False)]
        labels = np.concatenate([section.section.labels for section in sections])
        return cls(
            genes=None,
            image=None,
            neighbours=torch.from_numpy(np.concatenate(indices)),
            present=torch.from_numpy(np.concatenate([section.aligned.present for section in sections])),
            labels=torch.from_numpy(labels).to(device),
            weights=torch.from_numpy(balanced_spot_weights(sections)).to(device),
            blocks=torch.from_numpy(_blocks(sections)),
        )

    @property
    def modalities(self) -> str:
        """The modalities of the spots, as in :mod:`spacrd_core.cohort.modalities`."""
        return join_modalities(genes=self.genes, image=self.image)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, centres: Int[Tensor, " centres"]) -> Batch:
        """Return a batch that holds each spot needed by these centres once."""
        needed, position = torch.unique(self._neighbourhoods(centres), return_inverse=True)
        needed, position, present, centres = map(self._to_device, (needed, position, self.present[centres], centres))
        return Batch(
            genes=None if self.genes is None else self.genes[needed],
            image=None if self.image is None else self.image[needed],
            neighbours=position,
            present=present,
            labels=self.labels[centres],
            weights=self.weights[centres],
            projected=self.projected,
        )

    def single_spots(self) -> Self:
        """Return the cohort without neighbours and blocks: its batches are random spots of all sections."""
        return replace(
            self, neighbours=self.neighbours[:, :1], present=self.present[:, :1], blocks=torch.arange(len(self))
        )

    def needed(self, centres: Int[Tensor, " centres"]) -> Int[Tensor, " spots"]:
        """Return the spots that the batch of these centres holds, in its order."""
        needed: Int[Tensor, " spots"] = torch.unique(self._neighbourhoods(centres))
        return needed

    def _neighbourhoods(self, centres: Int[Tensor, " centres"]) -> Int[Tensor, "centres k"]:
        """The neighbourhoods of some spots, padded with the spot itself."""
        indices = self.neighbours[centres]
        return torch.where(self.present[centres], indices, indices[:, :1])

    def everything(self) -> Batch:
        """Return all spots as one batch, without copying their features."""
        neighbours, present = self._to_device(self.neighbours), self._to_device(self.present)
        genes = None if self.genes is None else self.genes[:]
        return Batch(genes, self.image, neighbours, present, self.labels, self.weights, projected=self.projected)

    def _to_device(self, indices: Tensor) -> Tensor:
        return copy_to_device(indices, self.labels.device)

    def shuffled(self, batch_size: int, generator: torch.Generator) -> tuple[Int[Tensor, " centres"], ...]:
        """Return the centres of batches that visit every spot once, composed of spatial blocks of many sections.

        Neighbours share a block, so a batch needs few spots besides its centres, and blocks from many sections keep
        batch statistics representative.
        """
        blocks, block_of_spot = torch.unique(self.blocks, return_inverse=True)
        rank = torch.randperm(len(blocks), generator=generator)[block_of_spot]
        order: Int[Tensor, " centres"] = torch.argsort(rank, stable=True)
        return tuple(order[start : start + batch_size] for start in range(0, len(order), batch_size))

    def iterate_blocks(self, batch_size: int) -> Iterator[tuple[Int[Tensor, " centres"], Batch]]:
        """Yield batches in the order of the blocks, each with its centres; every spot is a centre once."""
        for centres in torch.argsort(self.blocks, stable=True).split(batch_size):
            yield centres, self.batch(centres)


def shuffled(cohorts: Sequence[Cohort], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield every spot of the cohorts once, in batches of one cohort each, in random order."""
    batches = [(cohort, centres) for cohort in cohorts for centres in cohort.shuffled(batch_size, generator)]
    for index in torch.randperm(len(batches), generator=generator).tolist():
        cohort, centres = batches[index]
        yield cohort.batch(centres)


def _features(
    parts: Sequence[LazyExpression | Array | None], matrix: Tensor | None, device: torch.device
) -> Float[Tensor, "spots d"] | None:
    """The features of some sections, dense or times a matrix; None if one section has none."""
    tensors = [_tensor(part, matrix, device) for part in parts if part is not None]
    return torch.cat(tensors) if len(tensors) == len(parts) else None


def _tensor(features: LazyExpression | Array, matrix: Tensor | None, device: torch.device) -> Float[Tensor, "spots d"]:
    if isinstance(features, LazyExpression):
        return features[:].to(device) if matrix is None else features @ matrix
    dense = torch.from_numpy(features).to(device)
    return dense if matrix is None else dense @ matrix


def _blocks(sections: Sequence[PreparedSection]) -> Array:
    """The number of the square block of tissue that contains each spot."""
    keys = [
        np.column_stack([np.full(len(data.labels), index), data.xy_um // (BLOCK_PITCHES * data.pitch_um)])
        for index, data in enumerate(prepared.section for prepared in sections)
    ]
    return np.unique(np.concatenate(keys), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
