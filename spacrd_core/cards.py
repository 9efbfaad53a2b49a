"""The description of a component as data: it can be listed, searched and tested without importing the component."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_jsonable_python

from spacrd_core.files import file_sha256, tree_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Licences without conditions on the use of a model's output.
PERMISSIVE_LICENCES = {"mit", "apache-2.0", "bsd-2-clause", "bsd-3-clause"}
TARGET_PATTERN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class ComponentOptions(BaseModel):
    """The options of a component; nested in its class as ``Options``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def portable(self) -> dict[str, Any]:
        """Return the options that differ from their defaults as JSON-able values, without paths of this machine."""
        paths = {name for name, value in self if isinstance(value, Path)}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=paths)

    def facts(self) -> dict[str, Any]:
        """Return the options that differ from their defaults as JSON-able values, files as their checksums."""
        values = self.model_dump(exclude_defaults=True)
        return {name: to_jsonable_python(_with_checksums(value), fallback=repr) for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that determines the meaning of an encoder's embeddings.

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
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe that was stored as JSON."""
        fields: dict[str, Any] = {
            name: tuple(item) if isinstance(item, list) else item for name, item in values.items()
        }
        return cls(**fields)

    @property
    def patch_um(self) -> float:
        """Width of the tissue patch of an embedding, in um."""
        return self.input_px * self.um_per_px

    @property
    def permissive(self) -> bool:
        """Whether the licence has no conditions on the use of the embeddings; false if it is not known."""
        return self.licence.casefold() in PERMISSIVE_LICENCES

    @property
    def key(self) -> str:
        """A hash of the recipe; embeddings with different keys are never mixed."""
        return fingerprint(asdict(self))

    def completed(self, options: Mapping[str, Any], plugin: str) -> Self:
        """Return the recipe with the encoder's options and the plugin that it comes from, which are part of the key."""
        origin = {"plugin": plugin, **({"options": dict(options)} if options else {})}
        return replace(self, settings=json.dumps({**self._settings, **origin}, sort_keys=True))

    @property
    def plugin(self) -> str:
        """The distribution and version of the plugin; '' for SpaCRD's own encoders."""
        return str(self._settings.get("plugin", ""))

    @property
    def _settings(self) -> dict[str, Any]:
        try:
            settings = json.loads(self.settings)
        except ValueError:
            settings = self.settings
        return settings if isinstance(settings, dict) else {"settings": settings}

    def differences(self, other: Recipe) -> str:
        """Return the fields that differ from those of another recipe, with both values."""
        mine, others = asdict(self), asdict(other)
        return "; ".join(f"{name} {mine[name]}, not {others[name]}" for name in mine if mine[name] != others[name])


@dataclass(frozen=True, kw_only=True)
class Network:
    """A timm network and the location of its weights, as data that a card can show without torch.

    Parameters
    ----------
    repo, revision
        The repository on the Hugging Face Hub and its revision.
    files
        Possible names of the weights file, tried in order.
    sha256
        Checksum of the first of the files, if two independent sources publish it.
    architecture, arguments
        Arguments of ``timm.create_model``; a layer is given by its name, as in ``mlp_layer="SwiGLUPacked"``.
    parameters
        Number of parameters of the network; a difference reveals a wrong argument.
    positions_px
        Tile width of the published position embeddings in px, if it differs from that of the recipe.
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
    """The name of a component, the location of its class, and a one-sentence summary.

    Parameters
    ----------
    name
        Lower-case name that users type; for a ``family`` they type ``name:member``.
    target
        ``module:Class``; imported only when the component is used.
    summary
        One sentence, shown by ``spacrd plugins``.
    extra
        Name of the optional dependencies (``pip install 'spacrd[extra]'``) that the class needs.
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()
    family: bool = False
    extra: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.aliases, str):
            raise TypeError(f"the aliases of {self.name!r} must be a tuple, found {self.aliases!r}")
        for name in (self.name, *(part for alias in self.aliases for part in alias.split(":", 1))):
            if not NAME_PATTERN.fullmatch(name):
                raise ValueError(
                    f"a component name may have lower-case letters, digits, '.', '_' and '-', found {name!r}"
                )
        if not TARGET_PATTERN.fullmatch(self.target):
            raise ValueError(f"the target of {self.name!r} must be 'module:Class', found {self.target!r}")

    def context(self, name: str) -> dict[str, object]:
        """Return the arguments of the class besides its options, for a component used as ``name``."""
        return {"member": name.partition(":")[2]} if self.family else {}


@dataclass(frozen=True)
class ReaderCard(Card):
    """The card of a reader, for the files of one platform.

    A reader ``on_request`` is used only when it is named: other paths than a section's would satisfy it too.
    """

    on_request: bool = False


@dataclass(frozen=True)
class EncoderCard(Card):
    """The card of an image encoder. ``recipe`` is None for a family, because each member has its own recipe.

    If the card describes its ``network``, the class also receives the card, so that one class serves many cards.
    ``robust`` has the names under which the card offers networks that were trained to give the same embeddings of a
    tissue from different scanners and stainings.
    """

    recipe: Recipe | None = None
    citation: str = ""
    trained_um_per_px: tuple[float, ...] = ()
    network: Network | None = None
    robust: tuple[str, ...] = ()

    def context(self, name: str) -> dict[str, object]:
        """Return the member of a family, and the card if it describes a network."""
        return super().context(name) | ({"card": self} if self.network else {})


@dataclass(frozen=True)
class HeadCard(Card):
    """The card of a fusion head."""


def _with_checksums(value: Any) -> Any:
    """Return a value with every path in it replaced by the checksum of its file or folder, if there is one."""
    match value:
        case Path() if value.is_file():
            return file_sha256(value)
        case Path() if value.is_dir():
            return tree_sha256(value)
        case dict():
            return {key: _with_checksums(item) for key, item in value.items()}
        case list() | tuple():
            return [_with_checksums(item) for item in value]
        case set() | frozenset():
            return sorted((_with_checksums(item) for item in value), key=repr)
    return value


def fingerprint(values: object) -> str:
    """Return a hash of JSON-able values as 16 hex digits."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
