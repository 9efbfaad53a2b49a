"""AdamW takes the steps of PyTorch's class, without its compiler."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn

from spacrd_core.model.optimiser import AdamW

PROGRAM = """
import sys, torch
from spacrd_core.model.optimiser import AdamW
weight = torch.nn.Parameter(torch.ones(3))
optimiser = AdamW([weight], learning_rate=0.1, weight_decay=0.0)
weight.sum().backward()
optimiser.step()
optimiser.zero_grad()
print(weight.tolist(), "torch._dynamo" in sys.modules)
"""


def trained(optimiser_of: Callable[[nn.Module], AdamW | torch.optim.AdamW]) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))
    optimiser = optimiser_of(model)
    for number, values in enumerate(torch.randn(20, 6, 5, generator=torch.Generator().manual_seed(1))):
        optimiser.zero_grad()
        output = model[:2](values) if number < 3 else model(values)  # the last layer has no gradient at first
        output.square().mean().backward()
        optimiser.step()
    return model


def test_every_step_is_that_of_pytorchs_class() -> None:
    own = trained(lambda model: AdamW(model.parameters(), learning_rate=0.01, weight_decay=0.1))
    theirs = trained(lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1, fused=True))
    for parameter, expected in zip(own.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(parameter, expected)


@pytest.mark.slow
def test_a_step_does_not_import_pytorchs_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    values, imported = done.stdout.rsplit(" ", 1)
    assert imported.strip() == "False"
    assert "0.9" in values
