"""``spacrd doctor``: whether this machine can do the work."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Device, Json
from spacrd_cli.output import Output, table
from spacrd_cli.plugins_named import registries
from spacrd_core.errors import SpacrdError
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("torch", "timm", "anndata", "zarr", "numpy", "scipy", "pandas", "huggingface_hub", "safetensors")
GIB = 2**30

EncoderName = Annotated[
    str | None, typer.Option("--encoder", metavar="NAME", help="Build this encoder and embed one grey tile.")
]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was found, and what is wrong with it, if anything."""

    subject: str
    found: str
    wrong: str = ""


def doctor(encoder: EncoderName = None, device: Device = None, json: Json = False) -> None:
    """Say what this machine has and what is missing; exit with 1 if anything is wrong."""
    findings = [*_libraries(), *_machine(), *_devices(), *_plugins()]
    if encoder:
        findings.append(_encoder(encoder, device or "auto"))
    rows = [(finding.subject, finding.found, finding.wrong or "fine") for finding in findings]
    Output(json=json).result(findings, table(("what", "found", "verdict"), rows))
    if any(finding.wrong for finding in findings):
        raise typer.Exit(1)


def _libraries() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in ("spacrd", *LIBRARIES):
        try:
            found = version(name)
            import_module("spacrd_core" if name == "spacrd" else name)
        except PackageNotFoundError:
            yield Finding(name, "nothing", "not installed: pip install spacrd")
        except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
            yield Finding(name, found, f"cannot be imported: {type(error).__name__}: {error}")
        else:
            yield Finding(name, found)


def _machine() -> Iterator[Finding]:
    yield Finding("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    if hasattr(os, "sysconf"):
        yield Finding("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.1f} GiB")
    here = Path.cwd()
    yield Finding("disk", f"{shutil.disk_usage(here).free / GIB:.1f} GiB free at {here}")


def _devices() -> Iterator[Finding]:
    try:
        import torch
    except Exception:  # noqa: BLE001 - already said among the libraries
        return
    yield Finding("cpu", f"{torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Finding(f"cuda:{index}", f"{name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free")


def _plugins() -> Iterator[Finding]:
    found = load_plugins()
    counts = [f"{kind.kind}s: {len(kind.cards)}" for kind in registries(found)]
    yield Finding("plugins", ", ".join(counts))
    for problem in found.problems:
        yield Finding(f"plugin {problem.plugin}", problem.name or problem.kind or "-", problem.sentence)


def _encoder(name: str, device: str) -> Finding:
    """Build an encoder and embed one grey tile."""
    subject = f"encoder {name}"
    try:
        import torch

        from spacrd_core.devices import choose_device

        chosen = choose_device(device)
        encoder = load_plugins().encoders.create(name).to(chosen)
        size = encoder.recipe.input_px
        begun = time.perf_counter()
        embedding = encoder.embed(torch.full((1, 3, size, size), 128, dtype=torch.uint8, device=chosen))
    except SpacrdError as error:
        return Finding(subject, "nothing", f"{error}; {error.hint}" if error.hint else str(error))
    milliseconds = 1000 * (time.perf_counter() - begun)
    found = f"{embedding.shape[1]} numbers from a {size} px tile in {milliseconds:.0f} ms on {chosen}"
    wrong = "" if bool(embedding.isfinite().all()) else "they are not all finite"
    return Finding(subject, found, wrong)
