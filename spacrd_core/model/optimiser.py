"""AdamW by PyTorch's function. Its class imports PyTorch's compiler when it is first used, which takes 1.5 s."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


class Optimiser(Protocol):
    """What a training step needs: this module's class, or one of PyTorch's."""

    def zero_grad(self) -> None:
        """Drop the gradients."""

    def step(self) -> object:
        """Take a step along the gradients."""


@dataclass(frozen=True)
class _Moments:
    """The running averages of a parameter's gradient and of its square, and the number of steps."""

    mean: Tensor
    square: Tensor
    steps: Tensor


class AdamW:
    """AdamW with the usual constants (Loshchilov and Hutter 2019), step for step as :class:`torch.optim.AdamW`."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, learning_rate: float, weight_decay: float) -> None:
        self._parameters = [*parameters]
        self._moments: dict[nn.Parameter, _Moments] = {}
        self._learning_rate = learning_rate
        self._weight_decay = weight_decay

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients; parameters without one stay as they are."""
        moved = [parameter for parameter in self._parameters if parameter.grad is not None]
        moments = [self._moments_of(parameter) for parameter in moved]
        adamw(
            [*moved],
            [parameter.grad for parameter in moved if parameter.grad is not None],
            [each.mean for each in moments],
            [each.square for each in moments],
            [],
            [each.steps for each in moments],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self._learning_rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def _moments_of(self, parameter: nn.Parameter) -> _Moments:
        if parameter not in self._moments:
            steps = torch.zeros((), dtype=torch.float32, device=parameter.device)
            self._moments[parameter] = _Moments(torch.zeros_like(parameter), torch.zeros_like(parameter), steps)
        return self._moments[parameter]
