"""Where to compute."""

from __future__ import annotations

import torch

from spacrd_core.errors import ConfigError


def choose_device(name: str = "auto") -> torch.device:
    """Return the device for ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ConfigError
        If the name is no device, or this machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"'{name}' is not a device", hint="--device auto, cpu, cuda or cuda:N") from error
    if device.type not in {"cpu", "cuda"}:
        raise ConfigError(f"'{name}' is not supported", hint="--device auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"'{name}' was asked for; this machine has {torch.cuda.device_count()} CUDA devices", hint="--device cpu"
        )
    return device
