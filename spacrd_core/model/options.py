"""What a user chooses of a detector: which head, and what it reads of a section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.cohort.options import CohortOptions

if TYPE_CHECKING:
    from spacrd_core.plugins import Registry


USUAL = "spacrd"
CONTROL = "linear"  # what every other head is held against


class HeadChoice(BaseModel):
    """Which head, with which options and phase lengths; ``label`` is what tables call it, where not its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = USUAL
    options: dict[str, Any] = Field(default_factory=dict)
    epochs: dict[str, int] = Field(default_factory=dict)
    label: str = ""


def reading(options: CohortOptions, choice: HeadChoice, heads: Registry[Any]) -> CohortOptions:
    """Return what the user says of reading sections, and where nothing is said what the head asks for."""
    asked = heads.load(choice.name).reads(heads.options(choice.name, choice.options))
    return CohortOptions(**(asked | options.model_dump(include=options.model_fields_set)))
