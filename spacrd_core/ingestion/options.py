"""Options of ``spacrd ingest``; light, because the command line imports them for its help."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from spacrd_core.config import CommandConfig, ComponentSettings

# Names of files and folders that every run of a platform contains; they identify no section.
RUN_PART = re.compile(
    r"outs|experiment|(filtered|raw)_feature_\w+_matrix|cell_feature_matrix|(binned|segmented)_outputs|square_\d+um|matrix|tables"
)


class IngestConfig(CommandConfig):
    """Settings of ``spacrd ingest`` that several sections can share."""

    reader: ComponentSettings = Field(default_factory=ComponentSettings)
    patient: str = ""
    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    label_section: str = ""
    align: Literal["", "auto"] = ""
    image_scale: float | None = Field(None, gt=0, allow_inf_nan=False)
    um_per_px: float | None = Field(None, gt=0, allow_inf_nan=False)
    mpp: float = Field(0.5, gt=0, allow_inf_nan=False)
    no_image: bool = False

    @field_validator("reader", mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("label_section", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value  # --set reads -2 as a number

    @field_validator("positive", "ignore", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(";")) if isinstance(value, str) else value


class IngestOptions(IngestConfig):
    """All options of one section, from flags, from a row of a cohort file or from Python."""

    path: Path
    name: str = ""
    region: Path | None = None
    labels: Path | None = None
    image: Path | None = None
    alignment: Path | None = None

    @property
    def section_id(self) -> str:
        """The given name, or the one that the path suggests."""
        return self.name or default_name(self.path)


def default_name(path: Path) -> str:
    """Return the section id that a path suggests: its name up to the first dot.

    For a path inside the output of a run it is the name of the run's folder.
    """
    folder = Path(os.path.realpath(path))  # resolve() raises where a link leads to itself
    while RUN_PART.fullmatch(folder.name.split(".")[0]) and folder.parent.name:
        folder = folder.parent
    return folder.name.split(".")[0]
