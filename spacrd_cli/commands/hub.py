"""``spacrd push`` and ``spacrd pull``: detectors on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Json, Quiet
from spacrd_cli.terminal.output import Output

if TYPE_CHECKING:
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.download import Found
    from spacrd_core.detector.upload import Pushed


def push(
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="A detector's folder.", show_default=False)],
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A model repository.", show_default=False)],
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="The branch to push to.", show_default="main")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see the repository: you and yours, or everybody.")
    ] = True,
    licence_allows: Annotated[
        bool, typer.Option("--licence-allows", help="I read the encoder's licence, and it allows this.")
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

    _say_whose(out, read_detector_config(detector), private=private)
    address = Address.of(f"{repository}@{revision}" if revision else repository)
    pushed = push_detector(
        detector, address, heads=load_plugins().heads, private=private, licence_allows=licence_allows
    )
    out.result(_document(pushed), f"{pushed.url} ({'private' if pushed.private else 'public'})")
    out.say(f"detector {pushed.key} is {pushed.origin.address}")


def pull(
    address: Annotated[
        str, typer.Argument(metavar="OWNER/NAME[@REVISION]", help="A detector of the Hub.", show_default=False)
    ],
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="The folder to make.", show_default=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of another detector.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch a detector from the Hugging Face Hub."""
    out = Output(json=json, quiet=quiet)
    from spacrd_core.detector.address import Address
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.locate import pull as pull_detector

    found = pull_detector(Address.of(address), detector, overwrite=replace, track=out.track)
    config = read_detector_config(detector)
    say_origin(out, found)
    origin = found.origin.model_dump(exclude={"schema_version"}) if found.origin else {}
    out.result({"detector": config.key, "folder": str(detector), **origin}, f"detector {config.key} is in {detector}")
    if config.bound_by_licence:
        out.warn(f"the licence of its encoder ({config.licence}) may reach it and what it calls")


def say_origin(out: Output, found: Found | None) -> None:
    """Say which commit of the Hub a detector is."""
    if found is None:
        return
    if found.note:
        out.warn(found.note)
    if found.origin:
        out.say(f"the detector is {found.origin.address}")


def _say_whose(out: Output, config: DetectorConfig, *, private: bool) -> None:
    """Name the people's names that go with a detector, before it goes."""
    patients = ", ".join(sorted({section.patient for section in config.trained_on}))
    told = f"the detector names the sections it was trained on, and their patients ({patients})"
    if private:
        out.say(told)
    else:
        out.warn(f"{told}: everybody will read them")


def _document(pushed: Pushed) -> dict[str, object]:
    return {
        "detector": pushed.key,
        "address": pushed.origin.address,
        **pushed.origin.model_dump(exclude={"schema_version"}),
        "url": pushed.url,
        "private": pushed.private,
        "files": list(pushed.files),
    }
