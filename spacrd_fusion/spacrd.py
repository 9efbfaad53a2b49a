"""The head ``spacrd``: align, fuse, regularise by class, detect."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.learning.head import Batch, Dims, Head, Phase
from spacrd_fusion._base import labelled_mean, measured, modalities
from spacrd_fusion.alignment import SpotEncoder, info_nce
from spacrd_fusion.attention import NeighbourhoodFusion
from spacrd_fusion.options import SpaCRDOptions
from spacrd_fusion.reconstruction import ClassLatents, Posterior


class SpaCRD(Head):
    Options: ClassVar = SpaCRDOptions
    options: SpaCRDOptions

    def __init__(self, options: SpaCRDOptions, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        o = options
        names = tuple(modalities(dims))
        self.encoders = nn.ModuleDict()
        for name, d in modalities(dims).items():
            if o.components:
                self.register_buffer(f"{name}_axes", torch.zeros(d, o.components))
                d = o.components
            self.encoders[name] = SpotEncoder(d, hidden=o.hidden, width=o.width, dropout=o.dropout, input_dropout=o.gene_dropout if name == "genes" else 0.0)
        self.fusion = NeighbourhoodFusion(names, width=o.width, heads=o.heads, dropout=o.attention_dropout)
        self.latents = ClassLatents(o.width, hidden=o.latent_hidden, latent=o.latent)
        self.classifier = nn.Sequential(nn.Linear(2 * o.latent, o.classifier_hidden), nn.ReLU(), nn.Linear(o.classifier_hidden, 1))

    def curriculum(self) -> tuple[Phase, ...]:
        o = self.options
        how = {"learning_rate": o.learning_rate, "weight_decay": o.weight_decay, "batch_size": o.batch_size}
        phases = (Phase("align", o.align_epochs, **how), Phase("reconstruct", o.reconstruct_epochs, **how), Phase("detect", o.detect_epochs, **how))
        return tuple(p for p in phases if p.epochs and (p.name != "align" or len(self.encoders) > 1))

    def warm_start(self, batch):
        from sklearn.decomposition import PCA
        from spacrd_core.learning.head import neighbourhood_mean
        if not self.options.components:
            return
        for name, x in measured(batch, self.dims).items():
            m = neighbourhood_mean(x, batch)
            p = PCA(self.options.components, random_state=0).fit(m.numpy())
            getattr(self, f"{name}_axes").copy_(torch.from_numpy(p.components_.T / (p.explained_variance_ ** .5 if self.options.whiten else p.explained_variance_.mean() ** .5)))

    def encode(self, feats):
        out = {}
        for name, x in feats.items():
            if self.options.components:
                x = x @ getattr(self, f"{name}_axes")
            out[name] = self.encoders[name](x)
        return out

    def posterior(self, batch):
        tokens = self.encode(measured(batch, self.dims))
        if self.options.l2:
            tokens = {k: F.normalize(v, dim=-1) * (self.options.width ** .5 if self.options.scale else 1) for k, v in tokens.items()}
        else:
            pass
        stand_in = next(iter(tokens.values()))
        tokens = {name: tokens.get(name, stand_in) for name in self.encoders}
        fused = self.fusion(tokens, batch)
        return fused, self.latents.posterior(fused)

    def losses(self, batch, phase):
        o = self.options
        if phase == "align":
            codes = self.encode({n: x[batch.centres] for n, x in measured(batch, self.dims).items()})
            return {"contrastive": info_nce(codes["image"], codes["genes"], temperature=o.temperature, alpha=o.alpha)}
        fused, post = self.posterior(batch)
        target = fused.detach() if o.detach else fused
        vr = {"reconstruction": self.latents.reconstruction_error(target, post).mean(),
              "prior": o.prior_weight * labelled_mean(self.latents.divergence(post, batch.labels), batch),
              "separation": -o.separation_weight * self.latents.separation()}
        if phase == "reconstruct":
            return vr
        logits = self.classify(self._features(post))
        bce = F.binary_cross_entropy_with_logits(logits, batch.labels.clamp(min=0).float(), reduction="none")
        return {"detection": labelled_mean(bce, batch), **{k: o.reconstruction_weight * v for k, v in vr.items()}}

    @staticmethod
    def _features(post):
        return torch.cat([post.mean, post.log_variance], dim=-1)

    def features(self, batch):
        return self._features(self.posterior(batch)[1])

    def classify(self, features):
        return self.classifier(features).squeeze(-1)
