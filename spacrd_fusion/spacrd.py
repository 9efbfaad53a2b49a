"""The head ``spacrd``: align the modalities, fuse neighbourhoods, part the classes, detect."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.model.head import Head, Phase
from spacrd_fusion._base import gathered, labelled_mean, measured, modalities
from spacrd_fusion.alignment import SpotEncoder, info_nce
from spacrd_fusion.attention import NeighbourhoodFusion
from spacrd_fusion.centre_fusion import CentreFusion
from spacrd_fusion.components import ModalityComponents
from spacrd_fusion.expert import MeanDifference
from spacrd_fusion.neighbour_norm import scaled_over_neighbours
from spacrd_fusion.options import READING, SpaCRDOptions
from spacrd_fusion.reconstruction import ClassLatents, Posterior

Tokens = dict[str, Float[Tensor, "spots width"]]


class SpaCRD(Head):
    """Contrastive alignment, bidirectional cross-attention and category-regularised reconstruction (arXiv 2603.06186).

    Three phases follow one another. ``align`` trains the encoders alone, ``reconstruct`` everything but the classifier,
    ``detect`` everything.

    With one modality there is nothing to align: the phase is left out, and the modality attends to itself. Built for
    both and given one, the codes of that one stand in for the other's, which alignment has made alike.
    ``modality_dropout`` prepares for that in training.

    Unlike the released code, ``unit_tokens`` scales over the features of a spot and not over its neighbours (which
    ``neighbour_norm`` does), the reward for parting the classes is bounded, and a spot without a label is reconstructed
    without being drawn to a class.
    """

    Options = SpaCRDOptions
    options: SpaCRDOptions

    def __init__(self, options: SpaCRDOptions, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        widths = modalities(dims)
        self.components = ModalityComponents(widths if options.components else {}, components=options.components)
        inputs = widths | self.components.widths
        self.encoders = nn.ModuleDict({name: _encoder(features, options) for name, features in inputs.items()})
        self.fusion = _fusion(tuple(widths), options)
        self.latents = ClassLatents(options.width, hidden=options.latent_hidden, latent=options.latent)
        self.expert = MeanDifference(dims.genes) if options.expert and dims.genes else None
        self.classifier = nn.Sequential(
            nn.Linear(2 * options.latent, options.classifier_hidden), nn.ReLU(), nn.Linear(options.classifier_hidden, 1)
        )

    @classmethod
    def reads(cls, options: ComponentOptions) -> dict[str, Any]:
        return READING[options.preset] if isinstance(options, SpaCRDOptions) else {}

    def curriculum(self) -> tuple[Phase, ...]:
        epochs = {"detect": self.options.detect_epochs}
        if self.options.reconstruction:
            epochs = {"reconstruct": self.options.reconstruct_epochs} | epochs
        if len(self.encoders) == 2:
            epochs = {"align": self.options.align_epochs} | epochs
        return tuple(
            Phase(
                name,
                length,
                learning_rate=self.options.learning_rate,
                weight_decay=self.options.weight_decay,
                batch_size=self.options.batch_size,
            )
            for name, length in epochs.items()
        )

    @property
    def reads_either(self) -> bool:
        return len(self.encoders) == 2 and self.options.modality_dropout > 0

    @property
    def smooths(self) -> bool:
        return self.options.smoothing

    def warm_start(self, *batches: Batch) -> None:
        """Fit the principal components, to neighbourhood means: what neighbours share is tissue, the rest is noise."""
        means = [
            {name: neighbourhood_mean(x, batch) for name, x in measured(batch, self.dims).items()} for batch in batches
        ]
        self.components.fit({name: x for name, x in gathered(means).items() if name in self.components})
        if self.expert:
            told = [(x["genes"], each) for x, each in zip(means, batches, strict=True) if "genes" in x]
            columns = [(genes, each.labels, each.weights) for genes, each in told]
            known = torch.cat([each.labelled for _, each in told])
            genes, labels, weights = (torch.cat(column)[known] for column in zip(*columns, strict=True))
            self.expert.fit(genes, labels, weights)

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:
        if phase == "align":
            return self._contrastive(batch)
        fused = self._fuse(batch)
        posterior = self.latents.posterior(fused)
        regularisers = self._regularisers(batch, fused, posterior) if self.options.reconstruction else {}
        if phase == "reconstruct":
            return regularisers
        share = self.options.reconstruction_weight
        detection = F.binary_cross_entropy_with_logits(
            self._deep_logit(posterior.features), batch.labels.clamp(min=0).to(fused.dtype), reduction="none"
        )
        return {"detection": labelled_mean(detection, batch)} | {k: share * v for k, v in regularisers.items()}

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        """The posterior, and the expert's logit: 0 where there is none, or an image says more than it."""
        deep = self.latents.posterior(self._fuse(batch)).features
        if not self.expert or batch.genes is None or batch.image is not None:
            return F.pad(deep, (0, 1))
        return torch.cat([deep, neighbourhood_mean(self.expert(batch.genes)[:, None], batch)], dim=-1)

    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        return self._deep_logit(features[:, :-1]) + features[:, -1]

    def _deep_logit(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        logits: Float[Tensor, " centres"] = self.classifier(features).squeeze(-1)
        return logits

    def _encode(self, features: Mapping[str, Float[Tensor, "spots d"]]) -> Tokens:
        read = self.components(features) if self.components else features
        return {name: self.encoders[name](x) for name, x in read.items()}

    def _contrastive(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The centres alone are contrasted; spots without their pair teach nothing."""
        codes = self._encode({name: x[batch.centres] for name, x in measured(batch, self.dims).items()})
        if len(codes) < 2:
            return {}
        temperature, alpha = self.options.temperature, self.options.alpha
        return {"contrastive": info_nce(codes["image"], codes["genes"], temperature=temperature, alpha=alpha)}

    def _fuse(self, batch: Batch) -> Float[Tensor, "centres width"]:
        held = measured(batch, self.dims)
        if self.training and len(held) == 2 and torch.rand(()) < self.options.modality_dropout:
            held.pop("genes" if torch.rand(()) < 0.5 else "image")
        tokens = self._encode(held)
        if self.options.neighbour_norm:
            tokens, batch = scaled_over_neighbours(tokens, batch)
        elif self.options.unit_tokens:
            tokens = {name: F.normalize(code, dim=-1) for name, code in tokens.items()}
        present = next(iter(tokens.values()))
        fused: Float[Tensor, "centres width"] = self.fusion({n: tokens.get(n, present) for n in self.encoders}, batch)
        return fused

    def _regularisers(
        self, batch: Batch, fused: Float[Tensor, "centres width"], posterior: Posterior
    ) -> dict[str, Float[Tensor, ""]]:
        divergence = labelled_mean(self.latents.divergence(posterior, batch.labels), batch)
        return {
            "reconstruction": self.latents.reconstruction_error(fused, posterior).mean(),
            "prior": self.options.prior_weight * divergence,
            "separation": -self.options.separation_weight * self.latents.separation(),
        }


def _fusion(modalities: tuple[str, ...], options: SpaCRDOptions) -> nn.Module:
    if not options.attention:
        return CentreFusion(modalities, width=options.width)
    return NeighbourhoodFusion(modalities, width=options.width, heads=options.heads, dropout=options.attention_dropout)


def _encoder(features: int, options: SpaCRDOptions) -> SpotEncoder:
    return SpotEncoder(features, hidden=options.hidden, width=options.width, dropout=options.dropout)
