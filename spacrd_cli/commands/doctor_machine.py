"""What ``spacrd doctor`` finds about the machine: optional libraries, memory, devices, folders and the Hub's token."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_cli.terminal.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

# distribution, module, extra of SpaCRD, and what it is needed for
OPTIONAL = (
    ("openslide-python", "openslide", "wsi", "slides of scanners: SVS, NDPI, MRXS"),
    ("distributed", "distributed", "dask", "--executor dask"),
    ("spatialdata", "spatialdata", "spatialdata", "writing SpatialData"),
)
GIB = 2**30


def optional_libraries() -> Iterator[Finding]:
    """Yield whether libraries are there that only some work needs."""
    for distribution, module, extra, purpose in OPTIONAL:
        installed = "it"
        try:
            installed = version(distribution)
            import_module(module)
        except PackageNotFoundError:
            yield Finding(
                distribution, f"not installed; needed for {purpose}", "WARN", f"pip install 'spacrd[{extra}]'"
            )
        except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
            problem = f"{installed} cannot be imported: {type(error).__name__}: {error}"
            yield Finding(distribution, problem, "WARN", f"pip install --force-reinstall 'spacrd[{extra}]'")
        else:
            yield Finding(distribution, installed)


def machine() -> Iterator[Finding]:
    """Yield the system and its memory."""
    yield Finding("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    if hasattr(os, "sysconf"):
        yield Finding("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.1f} GiB")


def devices() -> Iterator[Finding]:
    """Yield the CPU and every GPU that PyTorch can use."""
    try:
        import torch
    except Exception:  # noqa: BLE001 - reported with the libraries
        return
    yield Finding("cpu", f"{torch.get_num_threads()} threads")
    gpus = torch.cuda.device_count()
    for index in range(gpus):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Finding(f"cuda:{index}", f"{name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free")
    if torch.backends.mps.is_available():
        yield Finding("mps", "GPU of a Mac")
    elif not gpus:
        yield Finding("gpu", "none that PyTorch can use: work runs on the CPU")


def places() -> Iterator[Finding]:
    """Yield the free space of the folders that commands write to, and whether they can."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except Exception:  # noqa: BLE001 - reported with the libraries
        return

    folders = (
        ("disk", Path.cwd(), "work in a folder that you may write to"),
        ("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a folder that you may write to"),
        ("weights", Path(HF_HUB_CACHE), "set HF_HOME to a folder that you may write to"),
    )
    for subject, folder, remedy in folders:
        there = next(part for part in (folder, *folder.parents) if os.path.exists(part))  # noqa: PTH110 - it asks where nothing may be read, too
        free = f"{shutil.disk_usage(there).free / GIB:.1f} GiB free at {folder}"
        if os.access(there, os.W_OK):
            yield Finding(subject, free)
        else:
            yield Finding(subject, f"{folder} cannot be written to", "WARN", remedy)


def hub_token() -> Iterator[Finding]:
    """Yield whether there is a token for the Hugging Face Hub, without showing it."""
    try:
        from huggingface_hub import get_token
    except Exception:  # noqa: BLE001 - reported with the libraries
        return
    if get_token():
        yield Finding("hub token", "found; whether it opens an encoder: spacrd doctor --encoder NAME")
    else:
        found = "none: gated encoders, such as uni, cannot be fetched; open ones and 'stain' can be used"
        yield Finding("hub token", found, "WARN", "hf auth login")
