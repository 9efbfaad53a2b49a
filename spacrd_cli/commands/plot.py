"""``spacrd plot``: draw the calls of a detector in the store, or the copy-number profile of each section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.commands.export import ExportSettings, write_calls
from spacrd_cli.options import CallsOf, Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import ConfigError

COLOURINGS = {"call": "png", "probability": "probability"}  # the format of the file


def plot(
    store: Store,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the pictures.")],
    detector: CallsOf = None,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Sections; by default, all that have been called.", show_default=False),
    ] = None,
    colour_by: Annotated[
        str,
        typer.Option(
            "--colour-by", metavar="call|probability", help="Colour spots by their call, as in QuPath, or probability."
        ),
    ] = "call",
    profile: Annotated[
        bool, typer.Option("--profile", help="Draw copy number along the genome, not the calls on the tissue.")
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", metavar="png|svg|pdf", help="Format of the pictures; svg and pdf for profiles.")
    ] = "png",
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a detector's calls of each section on its tissue, or its copy-number profile."""
    from spacrd_core.results.files.formats import find_format
    from spacrd_core.results.files.profile_picture import PICTURE_FORMATS

    if colour_by not in COLOURINGS:
        raise ConfigError(f"spots cannot be coloured by '{colour_by}'", hint=f"--colour-by {' or '.join(COLOURINGS)}")
    if profile and colour_by != "call":
        raise ConfigError("a profile has no spots to colour", hint="leave out --colour-by, or --profile")
    choices = PICTURE_FORMATS if profile else PICTURE_FORMATS[:1]
    if format_ not in choices:
        kind = "profiles" if profile else "calls"
        raise ConfigError(f"{kind} cannot be drawn as '{format_}'", hint=f"--format {', '.join(choices)}")
    form = find_format("profile" if profile else COLOURINGS[colour_by])
    form = form.with_suffix(f"profile.{format_}") if profile else form
    out = Output(json=json, quiet=quiet)
    sections = [*(ids or ()), *(section or ())] or None
    write_calls(out, store, form, output, detector=detector, section=sections, settings=ExportSettings())
