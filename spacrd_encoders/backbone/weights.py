"""Weights from a file: read without running anything in it, fitted strictly, every misfit said in a sentence.

Published encoders come as safetensors or as PyTorch files, which are pickles. A pickle is read by PyTorch's
weights-only reader, which knows tensors and nothing else; a file that wants more is refused.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from spacrd_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PYTORCH_BEGINS = (b"PK\x03\x04", b"\x80\x02")
# What a reader of PyTorch files meets in a damaged one, by trial.
BROKEN = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    struct.error,
    pickle.UnpicklingError,
)
REMEDY = "download the file again, in the Hub's cache delete it first, and compare its size with the published one"


def sha256(path: Path) -> str:
    """Return the checksum of a weights file.

    Raises
    ------
    WeightsError
        If there is no such file, or it may not be read.
    """
    if not path.is_file():
        raise WeightsError(f"there is no weights file at {path}", hint="check the path given as weights")
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}", hint="check who may read it") from error


def check_sha256(path: Path, found: str, published: str) -> None:
    """Refuse a file that is not what was published, where that is known.

    Raises
    ------
    WeightsError
        With both checksums.
    """
    if published and found != published:
        raise WeightsError(
            f"{path} is not the file that was published: its sha256 is {found[:12]}..., not {published[:12]}...",
            hint=f"delete it and run again ({path.resolve()}), or give a file you trust as --weights FILE",
        )


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors or PyTorch file by name, on the CPU.

    Raises
    ------
    WeightsError
        If the file is neither, is damaged, holds something else, even tensors without plain numbers, or wants code to
        be run.
    """
    with path.open("rb") as stream:
        begin = stream.read(9)
    try:
        if begin[8:] == b"{":
            return _plain(load_file(path), path)
        if begin.startswith(PYTORCH_BEGINS):
            with path.open("rb") as stream:  # given a path, PyTorch goes by its ending
                return _plain(_tensors(torch.load(stream, map_location="cpu", weights_only=True), path), path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is a damaged safetensors file: {error}", hint=REMEDY) from error
    except BROKEN as error:
        raise _unreadable(path, error) from error
    raise WeightsError(f"{path} is neither a safetensors nor a PyTorch weights file", hint=REMEDY)


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Put every tensor in its place, as float32.

    Raises
    ------
    WeightsError
        If a tensor is missing, has no place, or has another shape or other numbers.
    """
    places = network.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in places.items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    reshaped = [
        f"{name} {found[name]} for {shape}" for name, shape in wanted.items() if name in found and found[name] != shape
    ]
    whole = [
        f"{name} {_kind(tensor)}"
        for name, tensor in tensors.items()
        if name in places and places[name].is_floating_point() and not tensor.is_floating_point()
    ]
    misfits = [
        _some("lacks", [name for name in wanted if name not in found]),
        _some("has no place for", [name for name in found if name not in wanted]),
        _some("has another shape in", reshaped),
        _some("has whole numbers for fractions in", whole),
    ]
    if any(misfits):
        raise WeightsError(
            f"{source} does not fit the architecture: it " + "; it ".join(filter(None, misfits)),
            hint="give the weights that were published for this very model",
        )
    network.load_state_dict(dict(tensors), assign=True)
    network.float()


def _tensors(loaded: object, path: Path) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping):
        for wrapper in ("state_dict", "model"):
            if isinstance(loaded.get(wrapper), Mapping):
                return _tensors(loaded[wrapper], path)
        if loaded and all(isinstance(name, str) and isinstance(value, Tensor) for name, value in loaded.items()):
            return dict(loaded)
    raise WeightsError(f"{path} holds something else than named tensors", hint="give the state dict of the model")


def _plain(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Refuse tensors that PyTorch would take for weights, though they hold no plain numbers."""
    odd = [f"{name} {_kind(tensor)}" for name, tensor in tensors.items() if not _is_plain(tensor)]
    if odd:
        raise WeightsError(
            f"{path} {_some('holds no plain numbers in', odd)}",
            hint="give the weights that were published for this very model",
        )
    return tensors


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_complex()


def _kind(tensor: Tensor) -> str:
    facts = (str(fact).removeprefix("torch.") for fact in (tensor.dtype, tensor.layout, tensor.device))
    return " ".join(fact for fact in facts if fact not in {"strided", "cpu"})


def _unreadable(path: Path, error: BaseException) -> WeightsError:
    code = re.search(r"GLOBAL (\S+)", str(error))
    if code:
        return WeightsError(
            f"{path} was refused: to read it, {code[1]} would have to be run",
            hint="give the published weights; a file of bare tensors, best safetensors, runs nothing",
        )
    return WeightsError(f"{path} is damaged: PyTorch cannot read it", hint=REMEDY)


def _some(what: str, names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{what} {len(names)} tensors ({shown})" if names else ""
