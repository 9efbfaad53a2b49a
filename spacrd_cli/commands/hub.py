"""``spacrd push`` and ``spacrd pull``: upload and download detectors of the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Json, Quiet
from spacrd_cli.terminal.output import Output
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from spacrd_core.detector.address import LocalDetector
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.upload import PushedDetector


def push(
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="Folder of the detector.", show_default=False)],
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Model repository.", show_default=False)],
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="Branch to push to.", show_default="main")
    ] = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private/--public", help="Visibility of the repository: you and your organisation, or everyone."
        ),
    ] = True,
    licence_allows: Annotated[
        bool, typer.Option("--licence-allows", help="Confirm that the encoder's licence allows publication.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Publish a detector on the Hugging Face Hub."""
    out = Output(json=json, quiet=quiet)
    from spacrd_core.detector.address import Address
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.upload import push as push_detector
    from spacrd_core.plugins import load_plugins

    _report_patients(out, read_detector_config(detector), private=private)
    address = Address.parse(f"{repository}@{revision}" if revision else repository)
    pushed = push_detector(
        detector, address, heads=load_plugins().heads, private=private, licence_allows=licence_allows
    )
    out.result(_document(pushed), f"{pushed.url} ({'private' if pushed.private else 'public'})")
    out.info(f"detector {pushed.key} is {pushed.origin.address}")


def pull(
    address: Annotated[
        str, typer.Argument(metavar="OWNER/NAME[@REVISION]", help="Repository of the detector.", show_default=False)
    ],
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="Folder to create.", show_default=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a different detector in that folder.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download a detector from the Hugging Face Hub."""
    out = Output(json=json, quiet=quiet)
    from spacrd_core.detector.address import Address
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.locate import pull as pull_detector

    pulled = pull_detector(Address.parse(address), detector, overwrite=replace, track=out.track)
    config = read_detector_config(detector)
    report_origin(out, pulled)
    origin = pulled.origin.model_dump(exclude={"schema_version"}) if pulled.origin else {}
    out.result({"detector": config.key, "folder": str(detector), **origin}, f"detector {config.key} is in {detector}")
    if config.restricted_by_licence:
        out.warn(f"the licence of its encoder ({config.licence}) may also cover the detector and its calls")


def report_origin(out: Output, source: LocalDetector | None) -> None:
    """Report the commit of a detector from the Hub, if it is from there."""
    if source is None:
        return
    if source.note:
        out.warn(source.note)
    if source.origin:
        out.info(f"the detector is {source.origin.address}")


def _report_patients(out: Output, config: DetectorConfig, *, private: bool) -> None:
    """Report the patient names in a detector before it is uploaded."""
    patients = listed(sorted({section.patient for section in config.trained_on}))
    sentence = f"the detector contains the ids of its training sections and their patients ({patients})"
    if private:
        out.info(sentence)
    else:
        out.warn(f"{sentence}: they will be public")


def _document(pushed: PushedDetector) -> dict[str, object]:
    return {
        "detector": pushed.key,
        "address": pushed.origin.address,
        **pushed.origin.model_dump(exclude={"schema_version"}),
        "url": pushed.url,
        "private": pushed.private,
        "files": list(pushed.files),
    }
