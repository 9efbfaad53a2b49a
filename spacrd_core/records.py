"""Facts kept as JSON: frozen, strict, and of a known schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.config import mistakes

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.errors import SpacrdError


class Record(BaseModel):
    """Facts that are written once and never changed; unknown fields and numbers that are none are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


RecordT = TypeVar("RecordT", bound=Record)


def read_record(file: Path, model: type[RecordT], *, newest: int, refuse: type[SpacrdError]) -> RecordT:
    """Return the record in a file, whose ``schema_version`` must not be above ``newest``.

    Raises
    ------
    SpacrdError
        Of the kind ``refuse``, if the file is damaged or written by a newer SpaCRD.
    """
    try:
        facts = json.loads(file.read_bytes())
        version = facts["schema_version"]
    except (ValueError, LookupError, TypeError) as error:
        raise refuse(f"{file} is damaged: {error}", hint="restore it from a copy") from error
    if isinstance(version, int) and version > newest:
        raise refuse(f"{file} has schema {version}, this SpaCRD reads up to {newest}", hint="update SpaCRD")
    try:
        return model.model_validate(facts)
    except ValidationError as error:
        raise refuse(f"{file} is damaged: {'; '.join(mistakes(error)[:3])}", hint="restore it from a copy") from error
