"""The training loop."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.cohort import Cohort, shuffled
from spacrd_core.devices import matrix_products
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.model.computation import Computation
from spacrd_core.model.head import Head, Phase
from spacrd_core.model.optimiser import AdamW
from spacrd_core.model.random_stream import RandomStream
from spacrd_core.quoting import listed

EXACT: Final = Computation()
Losses = Callable[[Batch, str], dict[str, Float[Tensor, ""]]]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training spots: the mean of every loss term, and its duration in seconds.

    ``done`` is the share of all epochs of the head that are done with it; of an ensemble, of all its heads.
    """

    phase: str
    number: int
    epochs: int
    losses: Mapping[str, float]
    seconds: float
    done: float = 0.0


def fit(
    head: Head,
    cohorts: Sequence[Cohort],
    *,
    seed: int,
    epochs: Mapping[str, int] | None = None,
    computation: Computation = EXACT,
) -> Iterator[Epoch]:
    """Train a head on all spots of the cohorts and yield every epoch; the head ends in evaluation mode.

    There is one cohort per set of modalities among the sections, and every batch comes from one cohort. ``epochs``
    overrides the number of epochs by phase name; unknown names are ignored. A seed determines the head; PyTorch's
    global random numbers are left alone.
    """
    device = cohorts[0].labels.device
    stream = RandomStream(seed, device)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad(), stream:
        head.warm_start(*(cohort.everything() for cohort in cohorts))
    lengths = epochs or {}
    phases = [replace(phase, epochs=lengths.get(phase.name, phase.epochs)) for phase in head.curriculum()]
    total, done = sum(phase.epochs for phase in phases), 0
    for phase in phases:
        optimiser = AdamW(head.parameters(), learning_rate=phase.learning_rate, weight_decay=phase.weight_decay)
        parts = [cohort.single_spots() for cohort in cohorts] if phase.single_spots else cohorts
        for number in range(1, phase.epochs + 1):
            started = time.perf_counter()
            with stream, matrix_products(computation.precision, device):
                batches = shuffled(parts, phase.batch_size, generator)
                steps = train_steps(
                    head, with_modality_dropout(batches, phase), phase, optimiser, compiled=computation.compiled
                )
            losses = _mean_losses(steps, phase)
            done += 1
            yield Epoch(phase.name, number, phase.epochs, losses, time.perf_counter() - started, done / total)
    head.eval()


def require_phases(head: Head, names: Collection[str]) -> None:
    """Raise ConfigError for names that are not phases of the head."""
    phases = [phase.name for phase in head.curriculum()]
    unknown = sorted(set(names) - set(phases))
    if unknown:
        known = ", ".join(phases) or "none"
        raise ConfigError(f"the head has no phase {listed(unknown)}", hint=f"phases of the head: {known}")


def train_steps(
    head: Head,
    batches: Iterable[Batch],
    phase: Phase,
    optimiser: AdamW,
    *,
    compiled: bool = False,
) -> list[dict[str, Float[Tensor, ""]]]:
    """Take one step for each batch and return the losses, on the device; the host never waits for it."""
    head.train()
    losses_of = compiled_losses(head) if compiled else head.losses
    steps = []
    for batch in batches:
        losses = losses_of(batch, phase.name)
        if not losses:
            continue
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
        steps.append({name: loss.detach() for name, loss in losses.items()})
    return steps


def compiled_losses(head: Head, *, whole: bool = False) -> Losses:
    """Return the losses of a head as a compiled function, whose random numbers are those of the head itself.

    The size of a batch may vary. With ``whole``, a head that cannot be compiled as one piece is an error.
    """
    # torch caches what it has compiled
    compiled: Losses = torch.compile(head.losses, dynamic=True, fullgraph=whole, options={"fallback_random": True})
    return compiled


def with_modality_dropout(batches: Iterable[Batch], phase: Phase) -> Iterator[Batch]:
    """Yield the batches of an epoch, some of them without one of two modalities.

    The numbers are drawn on the host, which would otherwise wait for the device to know what to compute.
    """
    for batch in batches:
        both = batch.modalities == "image+genes"
        if phase.modality_dropout is not None and both and torch.rand(()) < phase.modality_dropout:
            yield batch.select("image" if torch.rand(()) < 0.5 else "genes")
        else:
            yield batch


def _mean_losses(steps: Sequence[Mapping[str, Float[Tensor, ""]]], phase: Phase) -> dict[str, float]:
    names = steps[0] if steps else ()
    means = {name: float(torch.stack([step[name] for step in steps]).mean()) for name in names}
    if not all(map(_finite, means.values())):
        raise TrainingError(
            f"the loss of phase '{phase.name}' is not finite: {means}", hint="lower the head's learning rate"
        )
    return means


def _finite(value: float) -> bool:
    return value - value == 0.0
