"""Precision and compilation of a training."""

from dataclasses import replace

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from spacrd_core.cohort.batch import Batch
from spacrd_core.contracts.head import MODALITIES, example_batch
from spacrd_core.devices import effective_precision, matrix_products
from spacrd_core.model.fit import Losses, compiled_losses
from spacrd_core.model.random_stream import RandomStream
from spacrd_fusion.spacrd import SpaCRDHead

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
BOTH = MODALITIES["image and genes"]
SMALL = {"width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4, "components": 4, "classifier_hidden": 8}
PAPER = SMALL | {"hidden": (16,), "components": 0}

EVERY_PRESET = pytest.mark.parametrize(
    "options",
    [SMALL, PAPER | {"preset": "paper-clean"}, PAPER | {"preset": "paper"}],
    ids=["default", "paper-clean", "paper"],
)


def test_only_cuda_computes_in_tf32_and_only_inside() -> None:
    before = torch.get_float32_matmul_precision()
    with matrix_products("tf32", CUDA):
        assert torch.get_float32_matmul_precision() == "high"
        with matrix_products("fp32", CUDA):
            assert torch.get_float32_matmul_precision() == "high", "fp32 leaves what the program around it has chosen"
    for precision, device in [("tf32", CPU), ("fp32", CPU), ("fp32", CUDA)]:
        with matrix_products(precision, device):
            assert torch.get_float32_matmul_precision() == before
    assert [effective_precision("tf32", device) for device in (CPU, CUDA)] == ["fp32", "tf32"]


def test_precision_is_restored_after_an_error() -> None:
    before = torch.get_float32_matmul_precision()
    with pytest.raises(KeyError), matrix_products("tf32", CUDA):
        raise KeyError
    assert torch.get_float32_matmul_precision() == before


@EVERY_PRESET
@pytest.mark.slow
def test_the_losses_of_all_members_are_traced_once_and_as_one_piece(options: dict[str, object]) -> None:
    counter = CompileCounter()
    for _ in range(2):
        head = SpaCRDHead(SpaCRDHead.Options.model_validate(options), dims=BOTH).train()
        torch.compile(head.losses, backend=counter, dynamic=True, fullgraph=True)(example_batch(BOTH), "detect")
    assert counter.frame_count == 1


@pytest.mark.slow
@EVERY_PRESET
def test_the_losses_of_every_phase_compile_as_one_piece_and_stay_the_same(options: dict[str, object]) -> None:
    head = SpaCRDHead(SpaCRDHead.Options.model_validate(options), dims=BOTH).train()
    whole = example_batch(BOTH)
    compiled = compiled_losses(head, whole=True)
    for phase in head.curriculum():
        lacking = [] if phase.name == "align" else [replace(whole, image=None), replace(whole, genes=None)]
        for batch in [whole, *lacking]:
            found, expected = (gradients(head, losses, batch, phase.name) for losses in (compiled, head.losses))
            assert expected
            for name, gradient in expected.items():
                assert torch.allclose(found[name], gradient, atol=1e-5 + 1e-4 * float(gradient.abs().max())), name


def gradients(head: SpaCRDHead, losses: Losses, batch: Batch, phase: str) -> dict[str, torch.Tensor]:
    """The gradients of a head; its running statistics and the random numbers are those of every call."""
    state = {name: value.clone() for name, value in head.state_dict().items()}
    with RandomStream(0, CPU):
        torch.stack([*losses(batch, phase).values()]).sum().backward()
    found = {name: weight.grad for name, weight in head.named_parameters() if weight.grad is not None}
    head.zero_grad(set_to_none=True)
    head.load_state_dict(state)
    return found
