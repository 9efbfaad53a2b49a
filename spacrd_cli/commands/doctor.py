"""``spacrd doctor``: check the libraries, devices and plugins of this machine."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.commands.doctor_encoder import check_encoder
from spacrd_cli.commands.doctor_machine import devices, hub_token, machine, optional_libraries, places
from spacrd_cli.options import Device, Json, Overrides
from spacrd_cli.terminal.findings import Finding, findings_table
from spacrd_cli.terminal.output import Output
from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.security import HDF5, LIBRARY_FLOORS

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = (
    *("torch", "timm", "anndata", "zarr", "numpy", "scipy", "pandas", "huggingface_hub", "safetensors"),
    *("h5py", "pillow", "jinja2", "numcodecs"),
)
MODULES = {"spacrd": "spacrd_core", "pillow": "PIL"}  # of libraries whose module has another name

EncoderName = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME", help="Encoder to check: get its weights, build it, embed one grey tile."),
]
Weights = Annotated[Path | None, typer.Option("--weights", metavar="FILE", help="File with the encoder's weights.")]


def doctor(
    encoder: EncoderName = None,
    weights: Weights = None,
    device: Device = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Check the libraries, devices, folders and plugins of this machine; exit with 1 if a check fails.

    Set options of the encoder with --set encoder.KEY=VALUE.
    """
    overrides = [entry.removeprefix("encoder.") for entry in set_ or ()]
    flags = {"name": encoder, "weights": str(weights) if weights else None}
    settings = read_config(ComponentSettings, overrides=overrides, flags=flags)
    if not settings.name and (weights or device or set_):
        raise typer.BadParameter("no encoder to check; name one with --encoder", param_hint="--weights/--device/--set")
    out = Output(json=json)
    out.info("checking this machine")
    plugins = load_plugins()
    findings = [*_libraries(), *_hdf5(), *optional_libraries(), *machine(), *devices(), *places(), *hub_token()]
    findings += _plugins(plugins)
    if settings.name:
        findings += check_encoder(plugins.encoders, settings.name, settings.options, device or "auto")
    out.result({"findings": findings}, findings_table(findings))
    if any(finding.verdict == "FAIL" for finding in findings):
        raise typer.Exit(1)


def _libraries() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in ("spacrd", *LIBRARIES):
        installed = "it"
        try:
            installed = version(name)
            import_module(MODULES.get(name, name))
        except PackageNotFoundError:
            yield Finding(name, "not installed", "FAIL", "pip install spacrd")
        except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
            problem = f"{installed} cannot be imported: {type(error).__name__}: {error}"
            yield Finding(name, problem, "FAIL", f"pip install --force-reinstall {name}")
        else:
            yield _library(name, installed)


def _library(name: str, installed: str) -> Finding:
    """Return the finding for an importable library: its version, and whether that is below a security floor."""
    floor = next((floor for floor in LIBRARY_FLOORS if floor.library == name), None)
    if floor and floor.excludes(installed):
        remedy = f"pip install '{name}>={floor.version}'"
        return Finding(name, f"{installed} has known vulnerabilities: {floor.advisories}", "FAIL", remedy)
    return Finding(name, installed)


def _hdf5() -> Iterator[Finding]:
    """Check the HDF5 library in h5py. Some builds report 1.14.4-2 and later patches of 1.14.4 as 1.14.4."""
    try:
        from h5py.version import hdf5_version
    except Exception:  # noqa: BLE001 - reported with the libraries
        return
    remedy = f"pip install 'h5py>=3.13', which contains a newer HDF5 than {HDF5.version}"
    if hdf5_version == HDF5.version.partition("-")[0]:
        problem = f"{hdf5_version}, which may be older than {HDF5.version} ({HDF5.advisories})"
        yield Finding("hdf5", problem, "WARN", remedy)
    elif HDF5.excludes(hdf5_version):
        yield Finding("hdf5", f"{hdf5_version} has known vulnerabilities: {HDF5.advisories}", "FAIL", remedy)
    else:
        yield Finding("hdf5", hdf5_version)


def _plugins(plugins: Plugins) -> Iterator[Finding]:
    counts = [f"{kind.kind}s: {len(kind.cards)}" for kind in plugins.registries]
    yield Finding("plugins", ", ".join(counts))
    for problem in plugins.problems:
        component = problem.name or problem.kind
        prefix = f"{component}: " if component else ""
        remedy = "update or uninstall it; nothing else is affected"
        yield Finding(f"plugin {problem.plugin}", f"{prefix}{problem.sentence}", "FAIL", remedy)
