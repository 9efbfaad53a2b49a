"""The contract of fusion heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.model.head import Head, Phase

Build = Callable[[Dims], Head]

SPOTS = 96
NEIGHBOURS = 5
BOTH = Dims(genes=24, image=16)
MODALITIES = {"image and genes": BOTH, "genes only": Dims(24, 0), "image only": Dims(0, 16)}


def check_head(build: Build) -> None:
    """Run all checks on a head; ``build`` returns a new head for given dimensions.

    A head that has nothing to train only has its options checked.

    Raises
    ------
    ContractError
        For the first check that fails.
    """
    for check in HEAD_CHECKS if build(BOTH).trainable else (has_options,):
        check(build)


def has_options(build: Build) -> None:
    """The options are a model that rejects unknown settings."""
    expect_options(build(BOTH))


def has_a_curriculum(build: Build) -> None:
    """The phases have unique names, and a positive length, learning rate and batch size."""
    phases = build(BOTH).curriculum()
    expect(
        all(isinstance(phase, Phase) for phase in phases), f"a curriculum must be a tuple of Phase, found {phases!r}"
    )
    names = [phase.name for phase in phases]
    expect(len(set(names)) == len(names), f"phases must have different names, found {names}")
    for phase in phases:
        expect(
            min(phase.learning_rate, phase.batch_size) > 0,
            f"learning rate and batch size must be positive, found {phase}",
        )
    lengths = [phase.epochs for phase in phases]
    expect(min(lengths, default=0) >= 0 and any(lengths) == bool(phases), f"phases must have epochs, found {lengths}")


def learns_and_scores(build: Build) -> None:
    """The head trains and scores with image and genes, with genes only, and with the image only."""
    for name, dims in MODALITIES.items():
        head, batch = _trained(build, dims, name), example_batch(dims)
        _expect_scores(head, batch, f"built for {name}")


def scores_without_a_modality(build: Build) -> None:
    """A head built for both modalities scores sections that have only one of them."""
    head = _trained(build, BOTH, "image and genes")
    batch = example_batch(BOTH)
    _expect_scores(head, replace(batch, image=None), "built for both, without an image")
    _expect_scores(head, replace(batch, genes=None), "built for both, without genes")


def gives_features(build: Build) -> None:
    """The features are finite, with one row per centre, and determine the logits."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    with torch.inference_mode():
        features = head.features(batch)
        logits = head.classify(features)
    expect(
        features.ndim == 2 and len(features) == SPOTS, f"features must be ({SPOTS}, n), found {tuple(features.shape)}"
    )
    expect(features.isfinite().all(), "features must be finite")
    _expect_same(logits, _score(head, batch), "classify(features(batch)) must equal score(batch)")


def has_a_gradient_by_genes(build: Build) -> None:
    """The scores have a gradient with respect to the genes, from which driving genes are computed."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    genes = torch.zeros(SPOTS, BOTH.genes, requires_grad=True)
    total = head.score(replace(batch, genes=genes)).sum()
    gradient = torch.autograd.grad(total, genes, allow_unused=True)[0] if total.requires_grad else None
    sentence = "a score must have a finite gradient with respect to the genes; driving genes are computed from it"
    expect(gradient is not None and gradient.isfinite().all(), sentence)


def reads_features_through_its_matrices(build: Build) -> None:
    """A batch that is already multiplied by the head's matrices gets the same scores; most heads have no matrices."""
    for name, dims in MODALITIES.items():
        head, batch = _trained(build, dims, name), example_batch(dims)
        matrices = head.matrices()
        widths = {name: getattr(dims, name) for name in matrices}
        shapes = {name: tuple(matrix.shape) for name, matrix in matrices.items()}
        expect(
            all(shape[:-1] == (widths[name],) for name, shape in shapes.items()),
            f"a matrix must have one row per feature, found {shapes} for features of width {widths}",
        )
        sentence = f"built for {name}, a batch multiplied by its matrices must score as the batch itself"
        _expect_same(_score(head, batch.project(matrices)), _score(head, batch), sentence)


def scores_depend_on_the_tissue_alone(build: Build) -> None:
    """A score does not depend on labels, the order of neighbours, padding, or other centres of the batch."""
    head, batch = _trained(build, BOTH, "image and genes"), example_batch(BOTH)
    scores = _score(head, batch)
    _expect_same(_score(head, batch), scores, "the same batch must give the same scores")
    unlabelled = replace(batch, labels=torch.full_like(batch.labels, -1), weights=torch.zeros_like(batch.weights))
    _expect_same(_score(head, unlabelled), scores, "scores must not depend on labels")
    order = torch.tensor([0, *reversed(range(1, NEIGHBOURS))])
    reordered = replace(batch, neighbours=batch.neighbours[:, order], present=batch.present[:, order])
    _expect_same(_score(head, reordered), scores, "scores must not depend on the order of neighbours")
    padded = replace(batch, neighbours=torch.where(batch.present, batch.neighbours, SPOTS - 1))
    _expect_same(_score(head, padded), scores, "scores must not depend on padded entries")
    half = SPOTS // 2
    first_half = replace(
        batch,
        neighbours=batch.neighbours[:half],
        present=batch.present[:half],
        labels=batch.labels[:half],
        weights=batch.weights[:half],
    )
    _expect_same(_score(head, first_half), scores[:half], "a score must not depend on the other centres of its batch")


def restores_its_state(build: Build) -> None:
    """The state loads strictly into a new head, which then gives the same scores."""
    for name, dims in MODALITIES.items():
        head, batch = _trained(build, dims, name), example_batch(dims)
        reloaded = build(dims)
        try:
            reloaded.load_state_dict(head.state_dict(), strict=True)
        except RuntimeError as error:
            expect(condition=False, sentence=f"built for {name}, its state does not load into a new head: {error}")
        _expect_same(
            _score(reloaded.eval(), batch),
            _score(head, batch),
            f"built for {name}, a reloaded head must score the same",
        )


def example_batch(dims: Dims) -> Batch:
    """Return a row of spots with their nearest neighbours: both classes, some unknown labels, some padding."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(SPOTS) % 3 - 1
    signal = labels[:, None].float()
    genes = torch.randn(SPOTS, dims.genes, generator=generator) + signal if dims.genes else None
    image = torch.randn(SPOTS, dims.image, generator=generator) - signal if dims.image else None
    steps = torch.tensor([0, 1, -1, 2, -2])
    neighbours = torch.arange(SPOTS)[:, None] + steps
    present = (neighbours >= 0) & (neighbours < SPOTS)
    weights = (labels >= 0).float()
    return Batch(genes, image, neighbours.where(present, 0), present, labels, weights)


def _trained(build: Build, dims: Dims, name: str) -> Head:
    """Return a head after its warm start and one step in every phase."""
    torch.manual_seed(0)
    head, batch = build(dims), example_batch(dims)
    head.train()
    head.fit_training_spots(TrainingSpots.from_batches([batch]))
    head.warm_start(batch)
    for phase in head.curriculum():
        _step(head, batch, phase, f"built for {name}, in phase '{phase.name}',")
    return head.eval()


def _step(head: Head, batch: Batch, phase: Phase, where: str) -> None:
    terms = head.losses(batch, phase.name)
    shapes = {term: tuple(value.shape) for term, value in terms.items()}
    expect(terms and not any(shapes.values()), f"{where} losses must be named scalars, found {shapes}")
    total = torch.stack(list(terms.values())).sum()
    values = {term: float(value.detach()) for term, value in terms.items()}
    expect(total.isfinite(), f"{where} the loss must be finite, found {values}")
    expect(total.requires_grad, f"{where} the loss must have a gradient")
    optimiser = torch.optim.SGD(head.parameters(), lr=1e-3)
    total.backward()
    gradients = [weight.grad for weight in head.parameters() if weight.grad is not None]
    expect(all(gradient.isfinite().all() for gradient in gradients), f"{where} gradients must be finite")
    expect(any(gradient.any() for gradient in gradients), f"{where} some weight must have a non-zero gradient")
    optimiser.step()


def _expect_scores(head: Head, batch: Batch, where: str) -> None:
    scores = _score(head, batch)
    expect(tuple(scores.shape) == (SPOTS,), f"{where}, it must return ({SPOTS},) logits, found {tuple(scores.shape)}")
    expect(scores.is_floating_point() and scores.isfinite().all(), f"{where}, its logits must be finite floats")


def _score(head: Head, batch: Batch) -> torch.Tensor:
    with torch.inference_mode():
        return head.score(batch)


def _expect_same(actual: torch.Tensor, expected: torch.Tensor, sentence: str) -> None:
    shapes = f"the shapes are {tuple(actual.shape)} and {tuple(expected.shape)}"
    expect(actual.shape == expected.shape, f"{sentence}, but {shapes}")
    difference = float((actual - expected).abs().max())
    tolerance = 1e-4 * max(1.0, float(expected.abs().max()))
    expect(difference <= tolerance, f"{sentence}, but they differ by up to {difference:.3g}")


HEAD_CHECKS: tuple[Callable[[Build], None], ...] = (
    has_options,
    has_a_curriculum,
    learns_and_scores,
    scores_without_a_modality,
    gives_features,
    has_a_gradient_by_genes,
    reads_features_through_its_matrices,
    scores_depend_on_the_tissue_alone,
    restores_its_state,
)
