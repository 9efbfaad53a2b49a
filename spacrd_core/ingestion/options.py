"""Options of ingesting one section."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Given

if TYPE_CHECKING:
    from collections.abc import Mapping


PART = re.compile(  # names that every run of a platform has, and so name no section
    r"outs|experiment|(filtered|raw)_feature_\w+_matrix|cell_feature_matrix|(binned|segmented)_outputs|square_\d+um"
)


@dataclass(frozen=True)
class IngestRequest:
    """One section to bring in; names and defaults are those of the command."""

    path: Path
    name: str = ""
    patient: str = ""
    reader: str = ""
    reader_options: Mapping[str, object] = field(default_factory=dict)
    labels: Path | None = None
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    given: Given = field(default_factory=Given)
    mpp: float = 0.5
    replace: bool = False


def default_name(path: Path) -> str:
    """Return the section id a path suggests: its name up to the first dot, or that of the folder it is a part of."""
    here = path.resolve()
    while PART.fullmatch(here.name.split(".")[0]) and here.parent.name:
        here = here.parent
    return here.name.split(".")[0]


class IngestOptions(BaseModel):
    """The options of one section, as flags give them and as a row of a cohort file does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    name: str = ""
    patient: str = ""
    reader: str = ""
    labels: Path | None = None
    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    image: Path | None = None
    alignment: Path | None = None
    image_scale: float | None = Field(None, gt=0, allow_inf_nan=False)
    um_per_px: float | None = Field(None, gt=0, allow_inf_nan=False)
    mpp: float = Field(0.5, gt=0, allow_inf_nan=False)
    no_image: bool = False

    @field_validator("positive", "ignore", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(";")) if isinstance(value, str) else value

    def request(self, reader_options: Mapping[str, object], *, replace: bool) -> IngestRequest:
        """Return what :func:`spacrd_core.ingestion.ingest.ingest` takes."""
        return IngestRequest(
            path=self.path,
            name=self.name,
            patient=self.patient,
            reader=self.reader,
            reader_options=reader_options,
            labels=self.labels,
            vocabulary=Vocabulary(positive=self.positive, ignore=self.ignore),
            given=Given(
                image=self.image,
                alignment=self.alignment,
                image_scale=self.image_scale,
                um_per_px=self.um_per_px,
                with_image=not self.no_image,
            ),
            mpp=self.mpp,
            replace=replace,
        )
