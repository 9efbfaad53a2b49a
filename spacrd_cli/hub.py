"""``spacrd push`` and ``spacrd pull``: detectors on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_core.errors import DetectorError

NOT_YET = "detectors cannot be {} the Hugging Face Hub yet"


def push(
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="A detector's folder.")],
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A model repository on the hub.")],
) -> None:
    """Publish a detector on the Hugging Face Hub (not there yet)."""
    hint = f"the folder {detector} is the whole detector: hand it to {repository} as it is"
    raise DetectorError(NOT_YET.format("published on"), hint=hint)


def pull(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A model repository on the hub.")],
    detector: Annotated[Path, typer.Argument(metavar="DETECTOR", help="The folder to make.")],
) -> None:
    """Fetch a detector from the Hugging Face Hub (not there yet)."""
    hint = f"download {repository} into {detector} by hand: the folder is the whole detector"
    raise DetectorError(NOT_YET.format("fetched from"), hint=hint)
