"""Random numbers of one training, apart from those of the program around it."""

from types import TracebackType
from typing import Self

import torch
from torch import Tensor


class RandomStream:
    """PyTorch's random numbers from a seed, used inside ``with``; outside, the global ones go on as if nothing was.

    Entered again, the stream goes on where it was left.

    >>> stream = RandomStream(0, torch.device("cpu"))
    >>> with stream:
    ...     first = torch.rand(())
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        self._states = {name: torch.Generator(name).manual_seed(seed).get_state() for name in self._names}
        self._outside: dict[str, Tensor] = {}

    def __enter__(self) -> Self:
        self._outside = self._swap(self._states)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._states = self._swap(self._outside)

    @property
    def _names(self) -> tuple[str, ...]:
        return ("cpu",) if self._device.type == "cpu" else ("cpu", str(self._device))

    def _swap(self, states: dict[str, Tensor]) -> dict[str, Tensor]:
        """Set the states of the global generators, and return those that they had."""
        before = {}
        for name, state in states.items():
            if name == "cpu":
                before[name] = torch.get_rng_state()
                torch.set_rng_state(state)
            elif name.startswith("mps"):
                before[name] = torch.mps.get_rng_state()
                torch.mps.set_rng_state(state)
            else:
                before[name] = torch.cuda.get_rng_state(name)
                torch.cuda.set_rng_state(state, name)
        return before
