"""An ensemble: one lens and several heads that differ by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.learning.cohort import Cohort
from spacrd_core.learning.fit import Epoch, fit
from spacrd_core.learning.head import Head
from spacrd_core.learning.lens import CohortOptions, Lens, Scale
from spacrd_core.learning.novelty import Novelty
from spacrd_core.learning.sections import SectionData
from spacrd_core.plugins import Registry

Array = np.ndarray[Any, Any]
SCORING_BATCH = 4096
Watch = Callable[[str, Epoch], None]


class HeadChoice(BaseModel):
    """Which head, with which options and phase lengths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "spacrd"
    options: dict[str, Any] = Field(default_factory=dict)
    epochs: dict[str, int] = Field(default_factory=dict)


@dataclass(frozen=True)
class Scores:
    """What an ensemble says of a section's spots: ``logits`` members x spots; ``novelty`` spots."""

    logits: Array
    novelty: Array


@dataclass(frozen=True)
class Ensemble:
    """Heads trained alike but for their seeds, and the tissue they know."""

    lens: Lens
    heads: tuple[Head, ...]
    known: tuple[Novelty, ...]
    device: torch.device

    @classmethod
    def train(
        cls,
        sections: Sequence[SectionData],
        *,
        choice: HeadChoice,
        options: CohortOptions,
        seeds: Sequence[int],
        heads: Registry[Any],
        device: torch.device,
        watch: Callable[[Epoch], None] = lambda _: None,
    ) -> Self:
        """Train one head a seed on all spots of these sections."""
        lens = Lens.fit(sections, options)
        cohort = Cohort.of(sections, lens, device)
        members = []
        for seed in seeds:
            torch.manual_seed(seed)
            head = heads.create(choice.name, choice.options, dims=lens.dims).to(device)
            for epoch in fit(head, cohort, seed=seed, epochs=choice.epochs):
                watch(epoch)
            members.append(head)
        known = tuple(Novelty.fit(_run(head, cohort)[1]) for head in members)
        return cls(lens, tuple(members), known, device)

    def score(self, section: SectionData) -> Scores:
        """Return what every member says of a section's spots."""
        cohort = Cohort.of([section], self.lens, self.device)
        outputs = [_run(head, cohort) for head in self.heads]
        novelty = np.mean(
            [known.score(features) for known, (_, features) in zip(self.known, outputs, strict=True)], axis=0
        )
        return Scores(np.stack([logits for logits, _ in outputs]), novelty)

    def state(self) -> dict[str, torch.Tensor]:
        """Return every tensor of the ensemble by name."""
        tensors = _named("image_scale", vars(self.lens.image_scale)) if self.lens.image_scale else {}
        for number, (head, known) in enumerate(zip(self.heads, self.known, strict=True)):
            tensors |= {f"{number}.head.{name}": value for name, value in head.state_dict().items()}
            tensors |= _named(f"{number}.known", vars(known))
        return tensors

    @classmethod
    def of_state(
        cls, tensors: Mapping[str, torch.Tensor], lens: Lens, heads: Sequence[Head], device: torch.device
    ) -> Self:
        """Fill freshly built heads with what :meth:`state` gave; names and shapes must match exactly."""
        known = []
        for number, head in enumerate(heads):
            head.load_state_dict(_below(tensors, f"{number}.head."), strict=True)
            head.to(device).eval()
            known.append(Novelty(**_arrays(tensors, f"{number}.known.")))
        left = [
            name for name in tensors if not name.startswith(("image_scale.", *(f"{n}." for n in range(len(heads)))))
        ]
        if left:
            raise ValueError(f"{len(left)} tensors belong to no member, such as {left[0]}")
        return cls(lens, tuple(heads), tuple(known), device)


def _run(head: Head, cohort: Cohort) -> tuple[Array, Array]:
    """Logits and features of every spot."""
    logits, features = [], []
    with torch.inference_mode():
        for batch in cohort.in_order(SCORING_BATCH):
            fused = head.features(batch)
            logits.append(head.classify(fused))
            features.append(fused)
    return torch.cat(logits).double().cpu().numpy(), torch.cat(features).double().cpu().numpy()


def scale_of(tensors: Mapping[str, torch.Tensor]) -> Scale | None:
    """Return the image scale among an ensemble's tensors; None where it reads no images."""
    found = _arrays(tensors, "image_scale.")
    return Scale(**found) if found else None


def _named(prefix: str, arrays: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    return {f"{prefix}.{name}": torch.from_numpy(np.asarray(value)) for name, value in arrays.items()}


def _arrays(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, Array]:
    return {name: value.numpy() for name, value in _below(tensors, prefix).items()}


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
