"""Read weights from a file without running code, and load them strictly, with an error that names every mismatch.

Published encoders come as safetensors or as PyTorch files, which are pickles. A pickle is read with PyTorch's
weights-only reader, which accepts nothing but tensors; a file with other objects is refused.
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
from spacrd_core.security import TORCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PYTORCH_MAGIC = (b"PK\x03\x04", b"\x80\x02")
# Errors that torch.load raises on damaged files, found by trial.
DAMAGED_FILE_ERRORS = (
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
DOWNLOAD_AGAIN = (
    "download the file again (in the Hub's cache delete it first), and compare its size with the published one"
)
PUBLISHED_HINT = "give the weights published for this model"


def sha256(path: Path) -> str:
    """Return the checksum of a weights file.

    Raises
    ------
    WeightsError
        If there is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise WeightsError(f"there is no weights file at {path}", hint="check the path given as weights")
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from error


def check_sha256(path: Path, found: str, published: str) -> None:
    """Check a file against the published checksum, if there is one.

    Raises
    ------
    WeightsError
        If they differ; the message has both checksums.
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
        If the file is neither, is damaged, holds other objects or unsupported tensors, or would run code.
    """
    with path.open("rb") as stream:
        start = stream.read(9)
    try:
        if start[8:] == b"{":
            return _require_plain(load_file(path), path)
        if start.startswith(PYTORCH_MAGIC):
            _require_safe_torch(path)
            with path.open("rb") as stream:  # given a path, PyTorch goes by its suffix
                return _require_plain(_tensors(torch.load(stream, map_location="cpu", weights_only=True), path), path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is a damaged safetensors file: {error}", hint=DOWNLOAD_AGAIN) from error
    except DAMAGED_FILE_ERRORS as error:
        raise _unreadable(path, error) from error
    raise WeightsError(f"{path} is neither a safetensors nor a PyTorch weights file", hint=DOWNLOAD_AGAIN)


def _require_safe_torch(path: Path) -> None:
    """Refuse a PyTorch file if the installed PyTorch has known vulnerabilities in its weights-only reader."""
    if TORCH.excludes(torch.__version__):
        raise WeightsError(
            f"{path} is a PyTorch file, and PyTorch {torch.__version__} cannot read it safely ({TORCH.advisories})",
            hint=f"pip install 'torch>={TORCH.version}', or give the weights as safetensors",
        )


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Load all tensors into a network, as float32.

    Raises
    ------
    WeightsError
        If a tensor is missing or unexpected, or has another shape or an integer type.
    """
    parameters = network.state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in parameters.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    reshaped = [
        f"{name} {shapes[name]} for {shape}"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    integers = [
        f"{name} {_kind(tensor)}"
        for name, tensor in tensors.items()
        if name in parameters and parameters[name].is_floating_point() and not tensor.is_floating_point()
    ]
    mismatches = [
        _count("lacks", [name for name in expected if name not in shapes]),
        _count("has no place for", [name for name in shapes if name not in expected]),
        _count("has another shape in", reshaped),
        _count("has integers instead of floats in", integers),
    ]
    if any(mismatches):
        raise WeightsError(
            f"{source} does not fit the architecture: it " + "; it ".join(filter(None, mismatches)),
            hint=PUBLISHED_HINT,
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
    raise WeightsError(f"{path} does not hold named tensors", hint="give the state dict of the model")


def _require_plain(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return tensors unless some are sparse, complex or without data, which PyTorch would accept as weights."""
    unsupported = [f"{name} {_kind(tensor)}" for name, tensor in tensors.items() if not _is_plain(tensor)]
    if unsupported:
        raise WeightsError(f"{path} {_count('has unsupported values in', unsupported)}", hint=PUBLISHED_HINT)
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
            f"{path} is refused: reading it would run {code[1]}",
            hint="give the published weights, as a file that holds only tensors, preferably safetensors",
        )
    return WeightsError(f"{path} is damaged: PyTorch cannot read it", hint=DOWNLOAD_AGAIN)


def _count(problem: str, names: Sequence[str]) -> str:
    examples = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{problem} {len(names)} tensors ({examples})" if names else ""
