"""What every fusion head must satisfy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.model.head import Head, Phase

Build = Callable[[Dims], Head]

SPOTS = 96
NEIGHBOURS = 5
BOTH = Dims(genes=24, image=16)
MODALITIES = {"image and genes": BOTH, "genes alone": Dims(24, 0), "image alone": Dims(0, 16)}


def check_head(build: Build) -> None:
    """Check everything a head promises; ``build`` makes one for given dimensions.

    Raises
    ------
    ContractError
        With the first promise that is broken.
    """
    for check in HEAD_CHECKS:
        check(build)


def has_options(build: Build) -> None:
    """Its options are a model that refuses unknown settings."""
    expect_options(build(BOTH))


def has_a_curriculum(build: Build) -> None:
    """Its phases have names of their own and a positive length, speed and batch size."""
    phases = build(BOTH).curriculum()
    expect(all(isinstance(phase, Phase) for phase in phases), f"a curriculum is a tuple of Phase, not {phases!r}")
    names = [phase.name for phase in phases]
    expect(len(set(names)) == len(names), f"phases must have different names, not {names}")
    for phase in phases:
        expect(min(phase.learning_rate, phase.batch_size) > 0, f"nothing can be learned in {phase}")
    lengths = [phase.epochs for phase in phases]
    expect(min(lengths, default=0) >= 0 and any(lengths) == bool(phases), f"nothing can be learned in {lengths} epochs")


def learns_and_scores(build: Build) -> None:
    """It trains and scores with image and genes, genes alone, and image alone."""
    for name, dims in MODALITIES.items():
        head, batch = _trained(build, dims, name), example_batch(dims)
        _expect_scores(head, batch, f"built for {name}")


def scores_without_a_modality(build: Build) -> None:
    """Built for both modalities, it scores sections that have only one of them."""
    head = _trained(build, BOTH, "image and genes")
    batch = example_batch(BOTH)
    _expect_scores(head, replace(batch, image=None), "built for both and given no image")
    _expect_scores(head, replace(batch, genes=None), "built for both and given no genes")


def gives_features(build: Build) -> None:
    """Its features are finite, one row a centre, and its logits are read from them."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    with torch.inference_mode():
        features = head.features(batch)
        logits = head.classify(features)
    expect(features.ndim == 2 and len(features) == SPOTS, f"features must be ({SPOTS}, n), not {tuple(features.shape)}")
    expect(features.isfinite().all(), "features must be finite")
    _expect_same(logits, _score(head, batch), "classify(features(batch)) must equal score(batch)")


def tells_which_genes_count(build: Build) -> None:
    """Its scores have a gradient by the genes, which tells those that drive the calls."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    genes = torch.zeros(SPOTS, BOTH.genes, requires_grad=True)
    total = head.score(replace(batch, genes=genes)).sum()
    gradient = torch.autograd.grad(total, genes, allow_unused=True)[0] if total.requires_grad else None
    sentence = "a score must have a finite gradient by the genes: it tells which of them drive the calls"
    expect(gradient is not None and gradient.isfinite().all(), sentence)


def scores_depend_on_the_tissue_alone(build: Build) -> None:
    """A score depends on neither labels, nor the order of neighbours, nor padding, nor the rest of the batch."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    scores = _score(head, batch)
    _expect_same(_score(head, batch), scores, "the same batch must give the same scores")
    blind = replace(batch, labels=torch.full_like(batch.labels, -1), weights=torch.zeros_like(batch.weights))
    _expect_same(_score(head, blind), scores, "scores must not depend on labels")
    order = torch.tensor([0, *reversed(range(1, NEIGHBOURS))])
    turned = replace(batch, neighbours=batch.neighbours[:, order], present=batch.present[:, order])
    _expect_same(_score(head, turned), scores, "scores must not depend on the order of neighbours")
    padded = replace(batch, neighbours=torch.where(batch.present, batch.neighbours, SPOTS - 1))
    _expect_same(_score(head, padded), scores, "scores must not depend on what stands in padded places")
    half = SPOTS // 2
    front = replace(
        batch,
        neighbours=batch.neighbours[:half],
        present=batch.present[:half],
        labels=batch.labels[:half],
        weights=batch.weights[:half],
    )
    _expect_same(_score(head, front), scores[:half], "a score must not depend on the other centres of its batch")


def keeps_its_state(build: Build) -> None:
    """Its state loads strictly into a new head, which then scores the same."""
    for name, dims in MODALITIES.items():
        head, batch = _trained(build, dims, name), example_batch(dims)
        other = build(dims)
        try:
            other.load_state_dict(head.state_dict(), strict=True)
        except RuntimeError as error:
            expect(holds=False, sentence=f"built for {name}, its state does not load into a new head: {error}")
        _expect_same(
            _score(other.eval(), batch), _score(head, batch), f"built for {name}, a reloaded head must score the same"
        )


def example_batch(dims: Dims) -> Batch:
    """Return spots in a row with their nearest neighbours; both classes, some unknown labels, some padding."""
    numbers = torch.Generator().manual_seed(0)
    labels = torch.arange(SPOTS) % 3 - 1
    signal = labels[:, None].float()
    genes = torch.randn(SPOTS, dims.genes, generator=numbers) + signal if dims.genes else None
    image = torch.randn(SPOTS, dims.image, generator=numbers) - signal if dims.image else None
    steps = torch.tensor([0, 1, -1, 2, -2])
    neighbours = torch.arange(SPOTS)[:, None] + steps
    present = (neighbours >= 0) & (neighbours < SPOTS)
    known = (labels >= 0).float()  # weights: 1 for every known label
    return Batch(genes, image, neighbours.where(present, 0), present, labels, known)


def _trained(build: Build, dims: Dims, name: str) -> Head:
    """Return a head after its warm start and one step of every phase."""
    torch.manual_seed(0)
    head, batch = build(dims), example_batch(dims)
    head.train()
    head.warm_start(batch)
    for phase in head.curriculum():
        _step(head, batch, phase, f"built for {name}, in phase '{phase.name}',")
    return head.eval()


def _step(head: Head, batch: Batch, phase: Phase, where: str) -> None:
    terms = head.losses(batch, phase.name)
    shapes = {term: tuple(value.shape) for term, value in terms.items()}
    expect(terms and not any(shapes.values()), f"{where} losses must be named scalars, not {shapes}")
    total = torch.stack(list(terms.values())).sum()
    values = {term: float(value.detach()) for term, value in terms.items()}
    expect(total.isfinite(), f"{where} the loss must be finite, not {values}")
    expect(total.requires_grad, f"{where} the loss must have a gradient")
    optimiser = torch.optim.SGD(head.parameters(), lr=1e-3)
    total.backward()
    gradients = [weight.grad for weight in head.parameters() if weight.grad is not None]
    expect(all(gradient.isfinite().all() for gradient in gradients), f"{where} gradients must be finite")
    expect(any(gradient.any() for gradient in gradients), f"{where} some weight must have a gradient that is not 0")
    optimiser.step()


def _expect_scores(head: Head, batch: Batch, where: str) -> None:
    scores = _score(head, batch)
    expect(tuple(scores.shape) == (SPOTS,), f"{where}, it must give ({SPOTS},) logits, not {tuple(scores.shape)}")
    expect(scores.is_floating_point() and scores.isfinite().all(), f"{where}, its logits must be finite floats")


def _score(head: Head, batch: Batch) -> torch.Tensor:
    with torch.inference_mode():
        return head.score(batch)


def _expect_same(found: torch.Tensor, wanted: torch.Tensor, sentence: str) -> None:
    shapes = f"shapes {tuple(found.shape)} and {tuple(wanted.shape)}"
    expect(found.shape == wanted.shape, f"{sentence}: {shapes}")
    apart = float((found - wanted).abs().max())
    expect(apart <= 1e-4 * max(1.0, float(wanted.abs().max())), f"{sentence}: they are up to {apart:.3g} apart")


HEAD_CHECKS: tuple[Callable[[Build], None], ...] = (
    has_options,
    has_a_curriculum,
    learns_and_scores,
    scores_without_a_modality,
    gives_features,
    tells_which_genes_count,
    scores_depend_on_the_tissue_alone,
    keeps_its_state,
)
