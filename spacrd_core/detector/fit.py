"""Hold what the configuration of a detector declares against its weights, before memory is taken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from spacrd_core.errors import PluginError
from spacrd_core.model.state_dict import FITTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.model.head import Head

MAX_OPTION_VALUES = 1000
FREE_VALUES = 2**20  # of a head whose layers have the size of what was fitted
GENE_TENSORS = ("factors.loadings", "factors.noise")
IMAGE_TENSORS = ("image_scaler.offset", "image_scaler.scale")


def require_fit(config: DetectorConfig, tensors: Mapping[str, torch.Tensor], build: Callable[[], Head]) -> None:
    """Require that the weights are finite, and are those of the members, genes and layers that are declared.

    ``build`` builds a head; it is called where tensors take no memory.

    Raises
    ------
    ValueError
        If they are not.
    """
    if broken := [name for name, tensor in tensors.items() if not _is_finite(tensor)]:
        raise ValueError(f"{broken[0]} is not finite")
    members = {name.partition(".")[0] for name in tensors} - {*FITTED}
    if members != {*map(str, range(len(config.seeds)))}:
        raise ValueError(f"it declares {len(config.seeds)} members, and has weights of {len(members)}")
    _require_rows(tensors, GENE_TENSORS, len(config.panel))
    _require_rows(tensors, IMAGE_TENSORS, config.image_dim)
    if _count(config.head_options) > MAX_OPTION_VALUES:
        raise ValueError(f"its head has more than {MAX_OPTION_VALUES} options")
    _require_size(tensors, build)


def _is_finite(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _require_rows(tensors: Mapping[str, torch.Tensor], names: tuple[str, ...], rows: int) -> None:
    for name in names:
        if name in tensors and tensors[name].shape[:1] != (rows,):
            raise ValueError(f"{name} has the shape {tuple(tensors[name].shape)}, not {rows} rows")


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list | tuple) else 1


def _require_size(tensors: Mapping[str, torch.Tensor], build: Callable[[], Head]) -> None:
    """Require that a head is about as large as the weights of a member; loading compares each of them."""
    try:
        with torch.device("meta"):
            declared = sum(value.numel() for value in build().state_dict().values())
    except (NotImplementedError, RuntimeError):  # a plugin's head that computes while it is built
        return
    except PluginError as error:
        if isinstance(error.__cause__, NotImplementedError | RuntimeError):
            return
        raise
    stored = sum(tensor.numel() for name, tensor in tensors.items() if name.startswith("0.head."))
    if declared > stored + FREE_VALUES:
        raise ValueError(f"its head declares {declared:,} weights, and {stored:,} are stored")
