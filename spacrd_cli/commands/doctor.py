"""``spacrd doctor``: whether this machine can do the work."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.commands.doctor_encoder import examine
from spacrd_cli.options import Device, Json, Overrides
from spacrd_cli.terminal.findings import Finding, drawn
from spacrd_cli.terminal.output import Output
from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.plugins import Plugins, load_plugins, registries

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("torch", "timm", "anndata", "zarr", "numpy", "scipy", "pandas", "huggingface_hub", "safetensors")
GIB = 2**30

EncoderName = Annotated[
    str | None, typer.Option("--encoder", metavar="NAME", help="Get its weights, build it and embed one grey tile.")
]
Weights = Annotated[Path | None, typer.Option("--weights", metavar="FILE", help="The encoder's weights, from a file.")]


def doctor(
    encoder: EncoderName = None,
    weights: Weights = None,
    device: Device = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Say what this machine has and what is missing; exit with 1 if anything fails.

    The encoder's own options as --set encoder.KEY=VALUE.
    """
    overrides = [entry.removeprefix("encoder.") for entry in set_ or ()]
    flags = {"name": encoder, "weights": str(weights) if weights else None}
    asked = read_config(ComponentSettings, overrides=overrides, flags=flags)
    if not asked.name and (weights or device or set_):
        raise typer.BadParameter(
            "there is no encoder to try; name one by --encoder", param_hint="--weights/--device/--set"
        )
    plugins = load_plugins()
    findings = [*_libraries(), *_machine(), *_devices(), *_plugins(plugins)]
    if asked.name:
        findings += examine(plugins.encoders, asked.name, asked.options, device or "auto")
    Output(json=json).result(findings, drawn(findings))
    if any(finding.verdict == "FAIL" for finding in findings):
        raise typer.Exit(1)


def _libraries() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in ("spacrd", *LIBRARIES):
        try:
            found = version(name)
            import_module("spacrd_core" if name == "spacrd" else name)
        except PackageNotFoundError:
            yield Finding(name, "not installed", "FAIL", "pip install spacrd")
        except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
            wrong = f"{found} cannot be imported: {type(error).__name__}: {error}"
            yield Finding(name, wrong, "FAIL", f"pip install --force-reinstall {name}")
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


def _plugins(found: Plugins) -> Iterator[Finding]:
    counts = [f"{kind.kind}s: {len(kind.cards)}" for kind in registries(found)]
    yield Finding("plugins", ", ".join(counts))
    for problem in found.problems:
        spoiled = f"{problem.name or problem.kind}: " if problem.name or problem.kind else ""
        remedy = "update or uninstall it; nothing else is affected"
        yield Finding(f"plugin {problem.plugin}", f"{spoiled}{problem.sentence}", "FAIL", remedy)
