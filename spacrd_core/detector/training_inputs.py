"""A checksum of everything that the scores of held-out patients depend on."""

from __future__ import annotations

import hashlib
import inspect
import platform
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import torch
from scipy import sparse

from spacrd_core._version import __version__
from spacrd_core.files import file_sha256
from spacrd_core.model.options import resolve_cohort_options
from spacrd_core.plugins import Registry

if TYPE_CHECKING:
    from spacrd_core.model.calibrated_ensemble import TrainOptions

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn")
KEY_LETTERS = 32


def training_facts(options: TrainOptions, heads: Registry[Any], device: torch.device, *, here: bool) -> dict[str, Any]:
    """Return what a training depends on beside its sections: options, the head's code, versions and the machine.

    ``here`` is whether its models are trained on this machine.
    """
    head = options.head
    return {
        "options": options.model_dump(mode="json"),
        "cohort": resolve_cohort_options(options.cohort, head, heads).model_dump(mode="json"),
        "head": heads.options(head.name, head.options).facts(),
        "plugin": heads.plugins.get(heads.card(head.name).name, ""),
        "code": (code_sha256(heads.load(head.name)), code_sha256(Registry)),
        "versions": {"spacrd": __version__, **{name: version(name) for name in LIBRARIES}},
        "machine": (_device_name(device), platform.machine(), torch.backends.cpu.get_cpu_capability(), here),
    }


def code_sha256(component: type[Any]) -> str:
    """Return a checksum of the package of a class; who writes a plugin changes its code without a new version."""
    package = getattr(sys.modules[component.__module__.partition(".")[0]], "__file__", None)
    file = Path(package or inspect.getsourcefile(component) or "")
    sources = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    found = {str(source.relative_to(file.parent)): file_sha256(source) for source in sources if source.is_file()}
    return digest(found) if found else uuid4().hex  # of a notebook: never the same again


def digest(value: Any) -> str:
    """Return a checksum of a value: of arrays, and of records, lists and mappings that contain them.

    Raises
    ------
    TypeError
        If there is something else in it, of which the text may not tell all.
    """
    total = hashlib.sha256()
    _feed(total, value)
    return total.hexdigest()[:KEY_LETTERS]


def _feed(total: hashlib._Hash, value: Any) -> None:
    """Add a value to a checksum; every part begins with its type and its size, so that no two values are alike."""
    total.update(f"{type(value).__name__}:".encode())
    if is_dataclass(value):
        _feed(total, {field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        total.update(f"{value.dtype.str}{value.shape}:".encode())
        total.update(np.ascontiguousarray(value).data if value.size else b"")
    elif sparse.issparse(value):
        rows = sparse.csr_array(value)
        _feed(total, [rows.data, rows.indices, rows.indptr, rows.shape[1]])
    elif isinstance(value, Mapping):
        _feed(total, [part for pair in value.items() for part in pair])
    elif isinstance(value, list | tuple | set | frozenset):
        total.update(f"{len(value)}:".encode())
        for each in sorted(value) if isinstance(value, set | frozenset) else value:
            _feed(total, each)
    elif value is None or isinstance(value, str | bytes | bool | int | float | np.generic):
        text = repr(value).encode()
        total.update(f"{len(text)}:".encode() + text)
    else:
        raise TypeError(f"a {type(value).__name__} has no checksum")


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
