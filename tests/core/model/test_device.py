"""Heads keep to their device in training and scoring: they mix no devices, and the host never waits.

No device is needed to show it.
"""

from dataclasses import replace

import pytest
import torch
from stand_ins.device import CUDA, WITH_BACKWARD, HostWaitsError, absent_device, batch_on
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.contracts.head import MODALITIES, example_batch
from spacrd_core.model.fit import train_steps
from spacrd_core.model.head import Head
from spacrd_core.model.optimiser import AdamW
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_fusion.spacrd import SpaCRDHead

BOTH = MODALITIES["image and genes"]
REGISTERED = load_plugins().heads
TRAINABLE = [card.name for card in REGISTERED if REGISTERED.load(card.name).trainable]
HEADS = pytest.mark.parametrize(
    ("name", "options"),
    [
        *(pytest.param(name, {}, id=name) for name in TRAINABLE),
        *(pytest.param("spacrd", {"preset": preset}, id=preset) for preset in ("paper", "paper-clean")),
    ],
)
EVERY_DIMS = pytest.mark.parametrize("dims", MODALITIES.values(), ids=MODALITIES)


def built(plugins: Plugins, name: str, options: dict[str, str], dims: Dims, device: torch.device) -> Head:
    """A head as on a device; only its tensors are made there."""
    with device:
        head: Head = plugins.heads.create(name, options, dims=dims)
    return head


@pytest.mark.ci_cases(4)
@HEADS
@EVERY_DIMS
def test_scoring_stays_on_the_device(plugins: Plugins, name: str, options: dict[str, str], dims: Dims) -> None:
    whole = example_batch(dims)
    lacking = [replace(whole, image=None), replace(whole, genes=None)] if dims == BOTH else []
    with absent_device():
        head = built(plugins, name, options, dims, CUDA).eval()
        for batch in [whole, *lacking]:
            with torch.inference_mode():
                logits = head.score(batch_on(batch, CUDA))
            assert (logits.device, logits.shape) == (CUDA, batch.labels.shape)


@pytest.mark.ci_cases(4)
@HEADS
@EVERY_DIMS
def test_losses_stay_on_the_device(plugins: Plugins, name: str, options: dict[str, str], dims: Dims) -> None:
    with absent_device():
        head = built(plugins, name, options, dims, CUDA).train()
        for phase in head.curriculum():
            losses = head.losses(batch_on(example_batch(dims), CUDA), phase.name)
            assert {loss.device for loss in losses.values()} == {CUDA}


@HEADS
@EVERY_DIMS
@pytest.mark.slow
def test_in_an_epoch_the_host_never_waits_for_the_device(
    plugins: Plugins, name: str, options: dict[str, str], dims: Dims
) -> None:
    """Losses, backward pass and optimiser of three batches; of two modalities, each is missing once."""
    whole = example_batch(dims)
    batches = [whole, replace(whole, image=None), replace(whole, genes=None)] if dims == BOTH else [whole] * 3
    with absent_device():
        head = built(plugins, name, options, dims, WITH_BACKWARD)
        for phase in head.curriculum():
            optimiser = AdamW(head.parameters(), learning_rate=phase.learning_rate, weight_decay=phase.weight_decay)
            steps = train_steps(head, [batch_on(batch, WITH_BACKWARD) for batch in batches], phase, optimiser)
            assert len(steps) == (1 if phase.name == "align" else 3)
            assert all(weight.grad is None or weight.grad.device.type != "cpu" for weight in head.parameters())


def read_a_value(head: "Careless", batch: Batch) -> Tensor:
    return head.weight * float(batch.weights.sum())


def copy_to_the_host(head: "Careless", batch: Batch) -> Tensor:
    return head.weight * batch.weights.cpu().sum()


def select_by_a_mask(head: "Careless", batch: Batch) -> Tensor:
    return (head.weight * batch.weights[batch.labelled]).sum()


def draw_on_the_host(head: "Careless", batch: Batch) -> Tensor:
    return head.weight * batch.weights.sum() * (2.0 if torch.rand(()) < 0.5 else 1.0)


def forget_the_device(head: "Careless", batch: Batch) -> Tensor:
    return (head.weight * batch.weights * torch.ones(len(batch.weights))).sum()


class Careless(SpaCRDHead):
    """A head whose loss does one thing that a device suffers from."""

    def __init__(self, device: torch.device, loss: object) -> None:
        with device:
            super().__init__(SpaCRDHead.Options(), dims=BOTH)
            self.weight = nn.Parameter(torch.ones(()))
        self.loss = loss

    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"loss": self.loss(self, batch)}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("loss", "error"),
    [
        (read_a_value, DataDependentOutputException),
        (draw_on_the_host, DataDependentOutputException),
        (select_by_a_mask, DynamicOutputShapeException),
        (copy_to_the_host, HostWaitsError),
        (forget_the_device, RuntimeError),
    ],
)
def test_what_makes_the_host_wait_or_mixes_devices_is_found(loss: object, error: type[Exception]) -> None:
    with absent_device():
        head = Careless(WITH_BACKWARD, loss)
        phase = head.curriculum()[-1]
        optimiser = AdamW(head.parameters(), learning_rate=phase.learning_rate, weight_decay=phase.weight_decay)
        batch = batch_on(example_batch(BOTH), WITH_BACKWARD)
        with pytest.raises(error):
            train_steps(head, [batch], phase, optimiser)
