"""A plain implementation of the published method, as reference for the speed and the results of our head.

The neighbourhood of every spot is copied into an item of a data set, and a loader collates the items one by one. Every
neighbour is encoded for every centre, and all tokens of a neighbourhood attend before the token of the centre is taken.
Tokens have unit length, as with the preset ``paper-clean``; or every feature has unit length over a neighbourhood, as
in the released code and with the preset ``paper``.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

WIDTH, HEADS, LATENT, BATCH = 512, 8, 64, 512
Item = tuple[Float[Tensor, "k genes"], Float[Tensor, "k dim"], Float[Tensor, ""]]


class Neighbourhoods(Dataset[Item]):
    """One item per spot: genes and image of its neighbourhood, the spot first, and its label."""

    def __init__(
        self,
        genes: Float[Tensor, "spots genes"],
        image: Float[Tensor, "spots dim"],
        neighbours: Int[Tensor, "centres k"],
        labels: Int[Tensor, " centres"],
    ) -> None:
        self.tensors = (genes[neighbours], image[neighbours], labels.float())

    def __len__(self) -> int:
        return len(self.tensors[-1])

    def __getitem__(self, spot: int) -> Item:
        genes, image, labels = self.tensors
        return genes[spot], image[spot], labels[spot]

    def loader(self, *, shuffle: bool) -> DataLoader[Item]:
        return DataLoader(self, BATCH, shuffle=shuffle)


class Attention(nn.Module):
    """Attention of all tokens of one modality over all tokens of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, dropout=0.1, batch_first=True)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(
        self, query: Float[Tensor, "centres k width"], key_value: Float[Tensor, "centres k width"]
    ) -> Float[Tensor, "centres k width"]:
        attended, _ = self.attention(query, key_value, key_value)
        output: Float[Tensor, "centres k width"] = self.norm(attended)
        return output


@dataclass(frozen=True)
class Outputs:
    """The outputs of the network for a batch of centres."""

    fused: Float[Tensor, "centres width"]
    reconstructed: Float[Tensor, "centres width"]
    mean: Float[Tensor, "centres latent"]
    log_variance: Float[Tensor, "centres latent"]
    logits: Float[Tensor, " centres"]


class PlainSpaCRD(nn.Module):
    """Alignment, bidirectional cross-attention, category-regularised reconstruction, detection."""

    def __init__(self, *, genes: int, image: int, over_neighbours: bool = False) -> None:
        super().__init__()
        self.unit = 1 if over_neighbours else -1
        self.encoders = nn.ModuleDict({"genes": mlp(genes), "image": mlp(image)})
        self.attention = nn.ModuleDict({"genes": Attention(), "image": Attention()})
        self.project = nn.Linear(2 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.encoder = nn.Sequential(nn.Linear(WIDTH, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(128, LATENT), nn.Linear(128, LATENT)
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, WIDTH)
        )
        self.class_means = nn.Parameter(torch.randn(2, LATENT) * 0.1)
        self.classifier = nn.Sequential(nn.Linear(2 * LATENT, 64), nn.ReLU(), nn.Linear(64, 1))

    def encode(self, name: str, features: Float[Tensor, "centres k d"]) -> Float[Tensor, "centres k width"]:
        codes = self.encoders[name](features.flatten(0, 1))
        tokens: Float[Tensor, "centres k width"] = codes.unflatten(0, features.shape[:2])
        return tokens

    def forward(self, genes: Float[Tensor, "centres k genes"], image: Float[Tensor, "centres k dim"]) -> Outputs:
        genes, image = (
            F.normalize(self.encode("genes", genes), dim=self.unit),
            F.normalize(self.encode("image", image), dim=self.unit),
        )
        attended = torch.cat([self.attention["genes"](genes, image), self.attention["image"](image, genes)], dim=-1)
        fused = self.norm(self.project(attended[:, 0]))
        code = self.encoder(fused)
        mean, log_variance = self.mean(code), self.log_variance(code)
        sample = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean
        logits = self.classifier(torch.cat([mean, log_variance], dim=-1)).squeeze(-1)
        return Outputs(fused, self.decoder(sample), mean, log_variance, logits)


def mlp(features: int) -> nn.Sequential:
    """Return an encoder of spots with layers of 1024, 512 and 512 units."""
    hidden = [(features, 1024), (1024, 512)]
    blocks = [
        nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.2))
        for inputs, outputs in hidden
    ]
    return nn.Sequential(*blocks, nn.Linear(512, WIDTH))


def train_epoch(model: PlainSpaCRD, items: DataLoader[Item], optimiser: torch.optim.Optimizer, phase: str) -> float:
    """Take one step per batch; return the mean loss."""
    model.train()
    total = 0.0
    for genes, image, labels in items:
        if phase == "align":
            loss = contrastive_loss(model.encode("genes", genes)[:, 0], model.encode("image", image)[:, 0])
        else:
            outputs = model(genes, image)
            loss = reconstruction_loss(model, outputs, labels)
            if phase == "detect":
                loss = F.binary_cross_entropy_with_logits(outputs.logits, labels) + 0.1 * loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
    return total / len(items)


def predict(model: PlainSpaCRD, items: DataLoader[Item]) -> Float[Tensor, " spots"]:
    """Return the cancer logit of every spot."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(genes, image).logits for genes, image, _ in items])


def contrastive_loss(first: Float[Tensor, "spots width"], second: Float[Tensor, "spots width"]) -> Float[Tensor, ""]:
    scores = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / 0.07
    targets = torch.arange(len(scores))
    return 0.5 * F.cross_entropy(scores, targets) + 0.5 * F.cross_entropy(scores.T, targets)


def reconstruction_loss(model: PlainSpaCRD, outputs: Outputs, labels: Float[Tensor, " centres"]) -> Float[Tensor, ""]:
    shift = (outputs.mean - model.class_means[labels.long()]).square()
    divergence = 0.5 * (outputs.log_variance.exp() + shift - 1 - outputs.log_variance).sum(dim=-1).mean()
    separation = torch.linalg.vector_norm(model.class_means[1] - model.class_means[0])
    loss: Float[Tensor, ""] = F.mse_loss(outputs.reconstructed, outputs.fused) + 0.5 * divergence - 0.1 * separation
    return loss
