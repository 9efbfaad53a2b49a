"""The options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[Path, typer.Argument(metavar="STORE", help="The spot store, a folder.", show_default=False)]

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.toml", help="Settings of this command.", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, as a.b=c; repeatable.", show_default=False),
]
Sections = Annotated[
    list[str] | None,
    typer.Option("--section", metavar="ID", help="Only this section; repeatable.", show_default="all"),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="ID", help="All but this section; repeatable.", show_default="none"),
]
EncoderOrNone = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME|none", help="Whose embeddings; none: genes only.", show_default="uni"),
]
NoGenes = Annotated[bool | None, typer.Option("--no-genes", help="Image only.", show_default=False)]
DetectorFolder = Annotated[
    str, typer.Argument(metavar="DETECTOR", help="A folder, or hf://owner/name[@revision].", show_default=False)
]
ComponentName = Annotated[
    str, typer.Argument(metavar="NAME", help="As listed; a member of a family as family:name.", show_default=False)
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="auto|cpu|cuda[:N]", help="Where to compute.", show_default="auto"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only: no progress, no notes.")]
