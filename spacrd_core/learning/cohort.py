"""The tensors of some sections for one detector. They live on the device; a batch is indices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from spacrd_core.errors import DetectorError
from spacrd_core.genes import align, choose_panel
from spacrd_core.geometry import neighbours
from spacrd_core.learning.balance import balanced_weights
from spacrd_core.learning.head import Batch, Dims
from spacrd_core.learning.sections import SectionData

BLOCK_PITCHES = 6.0


class CohortOptions(BaseModel):
    """What a detector reads of a section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panel_genes: int = Field(2000, ge=1, description="How many variable genes to read.")
    neighbours: int = Field(9, ge=1, description="Spots of a neighbourhood, the centre included.")
    radius_pitches: float = Field(1.6, gt=0, description="How far a neighbour may be, in lattice pitches.")


@dataclass(frozen=True)
class Lens:
    """How a detector looks at any section: fitted on training sections, applied to all.

    Attributes
    ----------
    panel
        Gene symbols in order; empty for an image-only detector.
    image_dim
        The embedding's width; 0 for a genes-only detector.
    """

    options: CohortOptions
    panel: tuple[str, ...]
    image_dim: int

    @classmethod
    def fit(cls, sections: Sequence[SectionData], options: CohortOptions) -> Self:
        """Choose the panel on these sections alone."""
        expressions = [section.expression for section in sections if section.expression is not None]
        panel = choose_panel(expressions, options.panel_genes) if expressions else ()
        image_dim = max((section.image.shape[1] for section in sections if section.image is not None), default=0)
        return cls(options, panel, image_dim)

    @property
    def dims(self) -> Dims:
        """The widths a head is built for."""
        return Dims(genes=len(self.panel), image=self.image_dim)


@dataclass(frozen=True)
class Cohort:
    """Features, neighbourhoods and labels of the spots of some sections, one after another.

    All sections of a cohort have the same modalities. Genes are log-normalised; genes and embeddings are standardised
    per section, because stain and chemistry shift between slides more than tissue does within one.
    """

    genes: Float[Tensor, "spots genes"] | None
    image: Float[Tensor, "spots dim"] | None
    neighbours: Int[Tensor, "spots k"]
    present: Bool[Tensor, "spots k"]
    labels: Int[Tensor, " spots"]
    weights: Float[Tensor, " spots"]
    blocks: Int[Tensor, " spots"]

    @classmethod
    def of(cls, sections: Sequence[SectionData], lens: Lens, device: torch.device) -> Self:
        """Return the tensors of sections, as a detector with that lens sees them."""
        around = [_neighbourhoods(section, lens.options) for section in sections]
        starts = np.cumsum([0] + [len(section.labels) for section in sections])
        indices = [index + start for (index, _), start in zip(around, starts, strict=False)]
        labels = np.concatenate([section.labels for section in sections])
        return cls(
            genes=_stack([_genes(section, lens) for section in sections], device),
            image=_stack([_image(section, lens) for section in sections], device),
            neighbours=torch.from_numpy(np.concatenate(indices)).to(device),
            present=torch.from_numpy(np.concatenate([present for _, present in around])).to(device),
            labels=torch.from_numpy(labels).to(device),
            weights=torch.from_numpy(_weights(sections)).to(device),
            blocks=torch.from_numpy(_blocks(sections)).to(device),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, centres: Int[Tensor, " centres"]) -> Batch:
        """Return a batch that holds each spot these centres need once."""
        around, present = self.neighbours[centres], self.present[centres]
        around = torch.where(present, around, around[:, :1])
        needed, position = torch.unique(around, return_inverse=True)
        return Batch(
            genes=None if self.genes is None else self.genes[needed],
            image=None if self.image is None else self.image[needed],
            neighbours=position,
            present=present,
            labels=self.labels[centres],
            weights=self.weights[centres],
        )

    def everything(self) -> Batch:
        """Return all spots as one batch."""
        return self.batch(torch.arange(len(self), device=self.labels.device))

    def shuffled(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yield every spot once, in batches of whole spatial blocks of many sections.

        Neighbours share a block, so a batch needs few spots beside its centres, while blocks from many sections keep
        batch statistics honest.
        """
        names, members = torch.unique(self.blocks, return_inverse=True)
        rank = torch.randperm(len(names), generator=generator).to(members.device)[members]
        for centres in torch.argsort(rank, stable=True).split(batch_size):
            yield self.batch(centres)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Yield every spot once, in order."""
        for centres in torch.arange(len(self), device=self.labels.device).split(batch_size):
            yield self.batch(centres)


def _neighbourhoods(section: SectionData, options: CohortOptions) -> tuple[Any, Any]:
    return neighbours(section.xy_um, k=options.neighbours, radius_um=options.radius_pitches * section.pitch_um)


def _genes(section: SectionData, lens: Lens) -> Any:
    if section.expression is None or not lens.panel:
        return None
    values, measured = align(section.expression, lens.panel)
    if not measured.any():
        raise DetectorError(
            f"section '{section.id}' measures none of the detector's {len(lens.panel)} genes",
            hint="are its genes named by symbol, as in training?",
        )
    return _standardise(values)


def _image(section: SectionData, lens: Lens) -> Any:
    if section.image is None or not lens.image_dim:
        return None
    if section.image.shape[1] != lens.image_dim:
        raise DetectorError(
            f"section '{section.id}' has {section.image.shape[1]} numbers a patch, the detector reads {lens.image_dim}",
            hint="embed it with the detector's encoder",
        )
    return _standardise(section.image)


def _standardise(values: Any) -> Any:
    spread = values.std(axis=0)
    return ((values - values.mean(axis=0)) / np.where(spread > 1e-6, spread, 1.0)).astype(np.float32)


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
