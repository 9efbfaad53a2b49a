"""Options that several commands share.

Help texts are Rich markup: a bracket before a lower-case letter or ``@`` is escaped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[Path, typer.Argument(metavar="STORE", help="Folder of the spot store.", show_default=False)]

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE.toml", help="TOML file with settings of this command.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one setting, as a.b=c; repeatable.", show_default=False),
]
Sections = Annotated[
    list[str] | None,
    typer.Option("--section", metavar="ID", help="Use only this section; repeatable.", show_default="all"),
]
SectionId = Annotated[str, typer.Argument(metavar="ID", help="Section of the store.", show_default=False)]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="ID", help="Leave out this section; repeatable.", show_default="none"),
]
EncoderOrNone = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME|none",
        help="Encoder whose embeddings are used; 'none' uses genes only.",
        show_default="uni",
    ),
]
NoGenes = Annotated[bool | None, typer.Option("--no-genes", help="Use the image only.", show_default=False)]
DetectorFolder = Annotated[
    str,
    typer.Argument(
        metavar="DETECTOR",
        help=r"Folder of the detector, hf://owner/name\[@revision], or prior: built in, needs no labels.",
        show_default=False,
    ),
]
CallsOf = Annotated[
    str | None,
    typer.Argument(
        metavar="[DETECTOR]",
        help="Whose calls: a detector, or its key in the store. Needed if several detectors have called the sections.",
        show_default=False,
    ),
]
ComponentName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name as listed; for a member of a family, family:name.", show_default=False),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="auto|cpu|cuda[:N]|mps", help="Device for the computation.", show_default="auto"),
]
HeadPrecision = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="fp32|tf32",
        help="Precision of the head's matrix products on CUDA.",
        show_default="fp32",
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="serial|processes|dask",
        help="Run in this process, in several, or on a Dask cluster.",
        show_default="serial",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Number of workers.", show_default="1 per GPU, or 1 per 4 cores"),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Address of a running Dask scheduler.",
        show_default="a new local cluster",
    ),
]
FoldsOption = Annotated[
    str | None,
    typer.Option(
        "--folds",
        metavar="N|patients",
        help="Number of groups of patients to hold out in turn, or patients: each patient alone.",
        show_default="patients; 8 with ten or more",
    ),
]
PartOfSections = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="I/N",
        help="Process every N-th section from the I-th, for array jobs.",
        show_default="all",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show the sections, the disk space and the time that the work would take, and write nothing.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only, without progress and notes.")]
Wide = Annotated[
    bool, typer.Option("--wide", help="Show every column in full, even if the table does not fit the terminal.")
]
