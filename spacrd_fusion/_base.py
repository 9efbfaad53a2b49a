"""What the heads share: which modalities there are, and means that honour labels and weights."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.errors import ConfigError, DetectorError

MODALITIES: Final = ("genes", "image")


def modalities(dims: Dims) -> dict[str, int]:
    """Return the width of every modality a head is built with, genes first.

    Raises
    ------
    ConfigError
        If there is none.
    """
    widths = {name: width for name in MODALITIES if (width := getattr(dims, name))}
    if not widths:
        raise ConfigError("a head reads genes, image embeddings or both, and was given neither")
    return widths


def measured(batch: Batch, dims: Dims) -> dict[str, Float[Tensor, "spots d"]]:
    """Return the features of every modality that the head is built with and the batch holds.

    Raises
    ------
    DetectorError
        If there is none.
    """
    built = tuple(modalities(dims))
    held = {name: features for name in built if (features := getattr(batch, name)) is not None}
    if not held:
        raise DetectorError(f"the head reads {' and '.join(built)}, the spots have none of it")
    return held


def gathered(parts: Sequence[Mapping[str, Float[Tensor, "spots d"]]]) -> dict[str, Float[Tensor, "spots d"]]:
    """Return every modality's features of all parts that have it."""
    return {
        name: torch.cat([part[name] for part in parts if name in part])
        for name in MODALITIES
        if any(name in part for part in parts)
    }


def labelled_mean(values: Float[Tensor, " centres"], batch: Batch) -> Float[Tensor, ""]:
    """Return the weighted mean of values over the labelled centres; 0 where none is labelled.

    The divisor is how many are labelled, not the sum of their weights: what a patient counts in the cohort then does
    not depend on which others share its batch.
    """
    return (torch.where(batch.labelled, values, 0.0) * batch.weights).sum() / batch.labelled.sum().clamp(min=1)
