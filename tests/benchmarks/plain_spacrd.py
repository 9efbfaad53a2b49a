"""The published method written the plain way: what our head is measured against, and must agree with.

Every spot's neighbourhood is copied into an item of a data set, a loader collates the items one by one, every
neighbour is encoded for every centre, and all tokens of a neighbourhood attend before the centre's is taken.
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
    """One item a spot: its neighbourhood's genes and image, the spot itself first, and its label."""

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
    """All tokens of one modality attend to all of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, dropout=0.1, batch_first=True)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(
        self, asking: Float[Tensor, "centres k width"], asked: Float[Tensor, "centres k width"]
    ) -> Float[Tensor, "centres k width"]:
        found, _ = self.attention(asking, asked, asked)
        normed: Float[Tensor, "centres k width"] = self.norm(found)
        return normed


@dataclass(frozen=True)
class Found:
    """What the network says of a batch of centres."""

    fused: Float[Tensor, "centres width"]
    rebuilt: Float[Tensor, "centres width"]
    mean: Float[Tensor, "centres latent"]
    log_variance: Float[Tensor, "centres latent"]
    logits: Float[Tensor, " centres"]


class PlainSpaCRD(nn.Module):
    """Alignment, bidirectional cross-attention, category-regularised reconstruction, detection."""

    def __init__(self, *, genes: int, image: int) -> None:
        super().__init__()
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

    def forward(self, genes: Float[Tensor, "centres k genes"], image: Float[Tensor, "centres k dim"]) -> Found:
        genes, image = (
            F.normalize(self.encode("genes", genes), dim=-1),
            F.normalize(self.encode("image", image), dim=-1),
        )
        found = torch.cat([self.attention["genes"](genes, image), self.attention["image"](image, genes)], dim=-1)
        fused = self.norm(self.project(found[:, 0]))
        code = self.encoder(fused)
        mean, log_variance = self.mean(code), self.log_variance(code)
        point = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean
        logits = self.classifier(torch.cat([mean, log_variance], dim=-1)).squeeze(-1)
        return Found(fused, self.decoder(point), mean, log_variance, logits)


def mlp(features: int) -> nn.Sequential:
    """Return an encoder of spots, features-1024-512-512."""
    hidden = [(features, 1024), (1024, 512)]
    blocks = [nn.Sequential(nn.Linear(*w), nn.BatchNorm1d(w[1]), nn.ReLU(), nn.Dropout(0.2)) for w in hidden]
    return nn.Sequential(*blocks, nn.Linear(512, WIDTH))


def train_epoch(model: PlainSpaCRD, items: DataLoader[Item], optimiser: torch.optim.Optimizer, phase: str) -> float:
    """Take one step a batch; return the mean loss."""
    model.train()
    total = 0.0
    for genes, image, labels in items:
        if phase == "align":
            loss = contrastive_loss(model.encode("genes", genes)[:, 0], model.encode("image", image)[:, 0])
        else:
            found = model(genes, image)
            loss = reconstruction_loss(model, found, labels)
            if phase == "detect":
                loss = F.binary_cross_entropy_with_logits(found.logits, labels) + 0.1 * loss
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


def contrastive_loss(one: Float[Tensor, "spots width"], other: Float[Tensor, "spots width"]) -> Float[Tensor, ""]:
    likeness = F.normalize(one, dim=-1) @ F.normalize(other, dim=-1).T / 0.07
    own = torch.arange(len(likeness))
    return 0.5 * F.cross_entropy(likeness, own) + 0.5 * F.cross_entropy(likeness.T, own)


def reconstruction_loss(model: PlainSpaCRD, found: Found, labels: Float[Tensor, " centres"]) -> Float[Tensor, ""]:
    shift = (found.mean - model.class_means[labels.long()]).square()
    divergence = 0.5 * (found.log_variance.exp() + shift - 1 - found.log_variance).sum(dim=-1).mean()
    apart = torch.linalg.vector_norm(model.class_means[1] - model.class_means[0])
    loss: Float[Tensor, ""] = F.mse_loss(found.rebuilt, found.fused) + 0.5 * divergence - 0.1 * apart
    return loss
