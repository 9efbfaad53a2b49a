"""What a component says of itself, as data: it can be listed, searched and tested without importing it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
PERMISSIVE = {
    "mit",
    "apache-2.0",
    "bsd-2-clause",
    "bsd-3-clause",
}  # they ask nothing of what a model's output is used for
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class ComponentOptions(BaseModel):
    """The options of one component; nested in its class as ``Options``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def portable(self) -> dict[str, Any]:
        """Return what was chosen otherwise than usual, JSON-able; paths of this machine are left out."""
        local = {name for name, value in self if isinstance(value, Path)}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=local)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an encoder sees tissue: everything that decides what its numbers mean.

    A patch is ``input_px * um_per_px`` micrometres wide on every platform.
    """

    input_px: int
    um_per_px: float
    dim: int
    resize: str = "triangle"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    pooling: str = "cls"
    precision: str = "fp32"
    weights: str = "none"
    settings: str = "{}"
    licence: str = "unknown"
    gated: bool = False

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Return the recipe whose facts were kept as JSON."""
        kept: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
        return cls(**kept)

    @property
    def patch_um(self) -> float:
        """Width of the tissue an embedding describes, in um."""
        return self.input_px * self.um_per_px

    @property
    def permissive(self) -> bool:
        """Whether the licence asks nothing of what is made from the embeddings; in doubt it does."""
        return self.licence.casefold() in PERMISSIVE

    @property
    def key(self) -> str:
        """A hash of the recipe: embeddings with different keys are never mixed."""
        return fingerprint(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of timm and where its weights are published: data, so that a card shows it without torch.

    Parameters
    ----------
    repo, revision
        On the Hugging Face Hub.
    files
        What the weights may be called there, tried in turn.
    sha256
        Of the first of the files, where two independent sources give it.
    architecture, arguments
        For ``timm.create_model``; a layer is named, as in ``mlp_layer="SwiGLUPacked"``.
    parameters
        How many numbers the network holds; a wrong argument shows here.
    positions_px
        Width of the tiles that the published position embeddings are for, where it is not the recipe's.
    """

    repo: str
    revision: str = "main"
    files: tuple[str, ...] = ("model.safetensors", "pytorch_model.bin")
    sha256: str = ""
    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parameters: int
    positions_px: int | None = None


@dataclass(frozen=True)
class Card:
    """A component's name, where its class is, and one sentence about it.

    Parameters
    ----------
    name
        Lower case; what users type. With ``family`` true they type ``name:member``.
    target
        ``module:Class``, imported when the component is used and not before.
    summary
        One sentence for ``spacrd plugins``.
    extra
        The optional dependencies of that name (``pip install 'spacrd[extra]'``) that the class needs.
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()
    family: bool = False
    extra: str = ""

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if not NAME.fullmatch(name):
                raise ValueError(f"a component's name is lower-case letters, digits, '.', '_' and '-', not {name!r}")
        if not TARGET.fullmatch(self.target):
            raise ValueError(f"the target of {self.name!r} must read 'module:Class', not {self.target!r}")

    def context(self, name: str) -> dict[str, object]:
        """Return what the class is called with beside its options, where ``name`` is asked for."""
        return {"member": name.partition(":")[2]} if self.family else {}


@dataclass(frozen=True)
class ReaderCard(Card):
    """A reader of one platform's files."""


@dataclass(frozen=True)
class EncoderCard(Card):
    """An image encoder. ``recipe`` is None for a family, whose members each have their own.

    The class behind a card that describes its ``network`` is called with the card: one class serves many cards.
    """

    recipe: Recipe | None = None
    citation: str = ""
    trained_um_per_px: tuple[float, ...] = ()
    network: Network | None = None

    def context(self, name: str) -> dict[str, object]:
        """Return the member of a family, and the card where it describes a network."""
        return super().context(name) | ({"card": self} if self.network else {})


@dataclass(frozen=True)
class HeadCard(Card):
    """A fusion head."""


def fingerprint(facts: object) -> str:
    """Return 16 hex digits that stand for JSON-able facts."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
