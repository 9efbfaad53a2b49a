"""Functions that the heads share: the modalities of a batch, and weighted means over labelled centres."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.errors import ConfigError, DetectorError

MODALITIES: Final = ("genes", "image")


def modality_widths(dims: Dims) -> dict[str, int]:
    """Return the feature width of each modality that a head is built with, genes first.

    Raises
    ------
    ConfigError
        If both widths are 0.
    """
    widths = {name: width for name in MODALITIES if (width := getattr(dims, name))}
    if not widths:
        raise ConfigError("a head needs genes, image embeddings or both, but both widths are 0")
    return widths


def available_features(batch: Batch, dims: Dims) -> dict[str, Float[Tensor, "spots d"]]:
    """Return the features of each modality that the head is built with and the batch has.

    Raises
    ------
    DetectorError
        If the batch has none of the modalities.
    """
    names = tuple(modality_widths(dims))
    available = {name: features for name in names if (features := getattr(batch, name)) is not None}
    if not available:
        raise DetectorError(f"the head reads {' and '.join(names)}, but the spots have no such features")
    return available


def modality_means(batch: Batch, dims: Dims) -> dict[str, Float[Tensor, "centres d"]]:
    """Return the neighbourhood means of each available modality."""
    return {name: neighbourhood_mean(features, batch) for name, features in available_features(batch, dims).items()}


def concatenate_modalities(
    parts: Sequence[Mapping[str, Float[Tensor, "spots d"]]],
) -> dict[str, Float[Tensor, "spots d"]]:
    """Return the features of each modality, concatenated over the parts that have it."""
    return {
        name: torch.cat([part[name] for part in parts if name in part])
        for name in MODALITIES
        if any(name in part for part in parts)
    }


def neighbourhood_counts(batch: Batch, *, spots: int) -> Int[Tensor, " spots"]:
    """Return in how many neighbourhoods of the batch each of its spots is."""
    counts = torch.zeros(spots, dtype=torch.int64, device=batch.neighbours.device)
    return counts.scatter_add_(0, batch.neighbours.flatten(), batch.present.flatten().long())


def labelled_mean(values: Float[Tensor, " centres"], batch: Batch) -> Float[Tensor, ""]:
    """Return the weighted mean of values over the labelled centres; 0 if there are none.

    The divisor is the number of labelled centres, not the sum of their weights, so that the weight of a patient in the
    cohort does not depend on the other patients in the batch.
    """
    return (torch.where(batch.labelled, values, 0.0) * batch.weights).sum() / batch.labelled.sum().clamp(min=1)
