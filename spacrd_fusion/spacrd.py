"""The head ``spacrd``: align the modalities, fuse neighbourhoods, separate the classes, detect."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.errors import ConfigError, DetectorError
from spacrd_core.model.head import Head, Phase
from spacrd_fusion._base import (
    available_features,
    labelled_mean,
    modality_means,
    modality_widths,
    neighbourhood_counts,
)
from spacrd_fusion.alignment import SpotEncoder, info_nce
from spacrd_fusion.attention import NeighbourhoodFusion
from spacrd_fusion.centre_fusion import CentreFusion
from spacrd_fusion.components import ModalityComponents
from spacrd_fusion.linear_expert import LinearExpert
from spacrd_fusion.neighbour_norm import neighbour_scale
from spacrd_fusion.options import COHORT_DEFAULTS, SpaCRDOptions
from spacrd_fusion.reconstruction import ClassLatents, Posterior

Tokens = dict[str, Float[Tensor, "spots width"]]


class SpaCRDHead(Head):
    """Contrastive alignment, bidirectional cross-attention and category-regularised reconstruction (arXiv 2603.06186).

    Training has three phases: ``align`` trains the encoders, ``reconstruct`` everything except the classifier, and
    ``detect`` everything.

    A head with one modality has no phase ``align``, and the modality attends to itself. If a head with both modalities
    reads only one, the codes of that one replace those of the other, which alignment has made similar;
    ``modality_dropout`` prepares the head for this in training.

    With the preset ``paper``, a batch has the losses, gradients and logits of the released code. This holds while its
    spots are labelled and weigh the same, and the class means are closer than the limit of their reward.
    """

    Options = SpaCRDOptions
    options: SpaCRDOptions

    def __init__(self, options: SpaCRDOptions, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        widths = modality_widths(dims)
        self.components = ModalityComponents(widths if options.components else {}, components=options.components)
        self.expert = LinearExpert(dims.genes) if options.expert and dims.genes else None
        self.encoders = nn.ModuleDict()
        if not self.is_deep:
            return
        inputs = widths | self.components.widths
        self.encoders.update({name: _encoder(features, options) for name, features in inputs.items()})
        self.fusion = _fusion(tuple(widths), options)
        self.latents = ClassLatents(
            options.width,
            hidden=options.latent_hidden,
            latent=options.latent,
            class_mean_start=options.class_mean_start,
        )
        self.classifier = nn.Sequential(
            nn.Linear(2 * options.latent, options.classifier_hidden), nn.ReLU(), nn.Linear(options.classifier_hidden, 1)
        )

    @classmethod
    def cohort_defaults(cls, options: ComponentOptions) -> dict[str, Any]:
        return COHORT_DEFAULTS[options.preset] if isinstance(options, SpaCRDOptions) else {}

    @property
    def is_deep(self) -> bool:
        """Whether the head has a deep part; without images, the expert for genes may be all there is."""
        return self.expert is None or bool(self.dims.image) or self.options.deep_genes

    @property
    def uses_prior(self) -> bool:
        return self.options.preset == "default"

    def curriculum(self) -> tuple[Phase, ...]:
        if not self.is_deep:
            return ()
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
                single_spots=name == "align" and self.options.random_negatives,
                modality_dropout=None if name == "align" else self.options.modality_dropout,
            )
            for name, length in epochs.items()
        )

    @property
    def scores_modalities_separately(self) -> bool:
        return len(self.encoders) == 2 and self.options.modality_dropout > 0

    @property
    def smooths(self) -> bool:
        return self.options.smoothing

    def fit_training_spots(self, training: Mapping[str, TrainingSpots]) -> None:
        """Fit the components and the expert to neighbourhood means; neighbours share their tissue, not their noise."""
        self.components.fit(training)
        if self.expert:
            self.expert.fit(training["genes"])

    def matrices(self) -> dict[str, Float[Tensor, "d r"]]:
        """Return the axes of the components, and beside those of the genes the direction of the expert."""
        matrices = self.components.matrices
        if matrices and self.expert:
            matrices["genes"] = torch.cat([matrices["genes"], self.expert.direction[:, None]], dim=1)
        return matrices

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:
        if not self.is_deep:
            raise ConfigError(f"the head 'spacrd' has no phase '{phase}': without images it is fitted in one step")
        batch = batch.project(self.matrices())
        if phase == "align":
            return self._contrastive(batch)
        fused = self._fuse(batch)
        posterior = self.latents.posterior(fused)
        regularisers = self._regularisers(batch, fused, posterior) if self.options.reconstruction else {}
        if phase == "reconstruct":
            return regularisers
        weight = self.options.reconstruction_weight
        detection = F.binary_cross_entropy_with_logits(
            self._deep_logit(posterior.features), batch.labels.clamp(min=0).to(fused.dtype), reduction="none"
        )
        return {"detection": labelled_mean(detection, batch)} | {
            name: weight * loss for name, loss in regularisers.items()
        }

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        """Return the posterior, the expert's logit (0 for spots with an image), and the weight of the deep logit.

        A head without a deep part has principal components and the expert's logit.
        """
        batch = batch.project(self.matrices())
        if not self.is_deep:
            components = [*self.components(modality_means(batch, self.dims)).values()]
            return torch.cat([*components, self._expert_logit(batch)], dim=-1)
        deep = self.latents.posterior(self._fuse(batch)).features
        if not self.expert or batch.genes is None or batch.image is not None:
            return F.pad(F.pad(deep, (0, 1)), (0, 1), value=1.0)
        weight = float(self.options.deep_genes)
        return F.pad(torch.cat([deep, self._expert_logit(batch)], dim=-1), (0, 1), value=weight)

    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        if not self.is_deep:
            return features[:, -1]
        return features[:, -1] * self._deep_logit(features[:, :-2]) + features[:, -2]

    def _expert_logit(self, batch: Batch) -> Float[Tensor, "centres 1"]:
        if self.expert is None or batch.genes is None:
            raise DetectorError("the head reads genes, but the spots have none")
        along = batch.genes[:, -1] if batch.projected else batch.genes @ self.expert.direction
        logits: Float[Tensor, "centres 1"] = neighbourhood_mean((along + self.expert.intercept)[:, None], batch)
        return logits

    def _deep_logit(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        logits: Float[Tensor, " centres"] = self.classifier(features).squeeze(-1)
        return logits

    def _encode(
        self, features: Mapping[str, Float[Tensor, "spots d"]], counts: Int[Tensor, " spots"] | None = None
    ) -> Tokens:
        inputs = self.components(features) if self.components else features
        return {name: self.encoders[name](values, counts) for name, values in inputs.items()}

    def _contrastive(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Contrast the centres; there is no loss if a modality is missing."""
        features = available_features(batch, self.dims)
        codes = self._encode({name: values[batch.centres] for name, values in features.items()})
        if len(codes) < 2:
            return {}
        temperature, alpha = self.options.temperature, self.options.alpha
        return {"contrastive": info_nce(codes["image"], codes["genes"], temperature=temperature, alpha=alpha)}

    def _fuse(self, batch: Batch) -> Float[Tensor, "centres width"]:
        features = available_features(batch, self.dims)
        tokens = self._encode(features, self._counts(batch, features))
        if self.options.unit_tokens and not self.options.neighbour_norm:
            tokens = {name: F.normalize(code, dim=-1) for name, code in tokens.items()}
        substitute = next(iter(tokens.values()))
        tokens = {name: tokens.get(name, substitute) for name in self.encoders}
        scales = self._scales(tokens, batch) if self.options.neighbour_norm else None
        fused: Float[Tensor, "centres width"] = self.fusion(tokens, batch, scales)
        return fused

    def _scales(self, tokens: Tokens, batch: Batch) -> dict[str, Float[Tensor, "centres width"]]:
        """The factors by which every modality's tokens are multiplied in each neighbourhood."""
        return {name: neighbour_scale(code, batch) for name, code in tokens.items()}

    def _counts(self, batch: Batch, features: Mapping[str, Float[Tensor, "spots d"]]) -> Int[Tensor, " spots"] | None:
        """How often each spot counts in batch statistics; None if once."""
        if not (self.training and self.options.neighbour_statistics):
            return None
        return neighbourhood_counts(batch, spots=len(next(iter(features.values()))))

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
