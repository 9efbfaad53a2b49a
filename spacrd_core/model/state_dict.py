"""The tensors of an ensemble by name, as they are stored with a detector."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch

from spacrd_core.arrays import Array
from spacrd_core.cohort.gene_factors import GeneFactors
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.head import Head
from spacrd_core.model.out_of_distribution import MahalanobisOOD

FITTED: Final[Mapping[str, type[Any]]] = {"image_scaler": Scaler, "factors": GeneFactors}


def ensemble_state(ensemble: Ensemble) -> dict[str, torch.Tensor]:
    """Return every tensor of an ensemble by name."""
    tensors: dict[str, torch.Tensor] = {}
    for name in FITTED:
        fitted = getattr(ensemble.preprocessor, name)
        tensors |= _with_prefix(name, vars(fitted)) if fitted else {}
    for number, (head, distribution) in enumerate(zip(ensemble.heads, ensemble.training_distribution, strict=True)):
        tensors |= {f"{number}.head.{name}": value for name, value in head.state_dict().items()}
        for modalities, ood in distribution.items():
            tensors |= _with_prefix(f"{number}.distribution.{modalities}", vars(ood))
    return tensors


def fitted_preprocessor(preprocessor: Preprocessor, tensors: Mapping[str, torch.Tensor]) -> Preprocessor:
    """Return a preprocessor with the parts that were fitted in training."""
    arrays = {name: _arrays(tensors, f"{name}.") for name in FITTED}
    fitted: dict[str, Any] = {name: FITTED[name](**part) if part else None for name, part in arrays.items()}
    return replace(preprocessor, **fitted)


def ensemble_from_state(
    tensors: Mapping[str, torch.Tensor],
    preprocessor: Preprocessor,
    heads: Sequence[Head],
    device: torch.device,
    *,
    precision: str = "fp32",
) -> Ensemble:
    """Return the ensemble of newly built heads filled with these tensors; names and shapes must match exactly."""
    distributions = []
    for number, head in enumerate(heads):
        head.load_state_dict(_without_prefix(tensors, f"{number}.head."), strict=True)
        head.to(device).eval()
        present = [name for name in MODALITIES if f"{number}.distribution.{name}.mean" in tensors]
        parts = {name: _arrays(tensors, f"{number}.distribution.{name}.") for name in present}
        distributions.append({name: MahalanobisOOD(**part) for name, part in parts.items()})
    known_prefixes = (*FITTED, *map(str, range(len(heads))))
    unknown = [name for name in tensors if name.split(".")[0] not in known_prefixes]
    if unknown:
        raise ValueError(f"{len(unknown)} tensors do not belong to the ensemble, for example {unknown[0]}")
    return Ensemble(preprocessor, tuple(heads), tuple(distributions), device, tuple(distributions[0]), precision)


def _with_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    return {f"{prefix}.{name}": torch.from_numpy(np.asarray(value)) for name, value in arrays.items()}


def _without_prefix(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _arrays(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, Array]:
    return {name: value.numpy() for name, value in _without_prefix(tensors, prefix).items()}
