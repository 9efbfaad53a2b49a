"""Recognise a Space Ranger run of immunofluorescence: its pictures are no H&E."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

INTENSITIES = ("barcode_fluorescence_intensity.csv", "barcode_fluorescence_intensity.csv.gz")
COMMAND_FILES = ("_cmdline", "_invocation")  # of the run's folder, above outs/spatial
FLUORESCENCE_OPTION = re.compile(r"--(darkimage|colorizedimage)\b|\b(dark|colorized)_images?\s*=\s*\[?\s*\"")
MAX_COMMAND = 2**20  # letters of a command line
HE_HINT = "give an H&E image of this section with --image FILE, or use the genes alone with --no-image"


def fluorescence_evidence(spatial: Path, prefix: str = "") -> Path | None:
    """Return the file that shows a run to be of immunofluorescence; None if there is none."""
    names = [start + name for start in dict.fromkeys((prefix, "")) for name in INTENSITIES]
    if table := next((spatial / name for name in names if (spatial / name).is_file()), None):
        return table
    run = spatial.absolute().parent.parent
    commands = [run / name for name in COMMAND_FILES if (run / name).is_file()]
    return next((file for file in commands if FLUORESCENCE_OPTION.search(_beginning(file))), None)


def _beginning(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(MAX_COMMAND)


def refuse_fluorescence_run(spatial: Path, prefix: str = "") -> None:
    """Refuse the pictures of a run of immunofluorescence as an H&E.

    Raises
    ------
    ImageError
        If it is one.
    """
    if evidence := fluorescence_evidence(spatial, prefix):
        raise ImageError(f"the run is of immunofluorescence ({evidence}): its pictures are no H&E", hint=HE_HINT)
