"""Options that select a head and resolve how it reads sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.cohort.options import CohortOptions

if TYPE_CHECKING:
    from spacrd_core.plugins import Registry

DEFAULT_HEAD = "spacrd"
BASELINE_HEAD = "linear"  # every other head is compared with it
PRIOR_HEAD = "prior"  # the built-in detector, which no labels train


class HeadOptions(BaseModel):
    """A head by name, its own options and the epochs of its phases; ``label`` replaces the name in tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = DEFAULT_HEAD
    options: dict[str, Any] = Field(default_factory=dict)
    epochs: dict[str, int] = Field(default_factory=dict)
    label: str = ""


def resolve_cohort_options(options: CohortOptions, head: HeadOptions, heads: Registry[Any]) -> CohortOptions:
    """Return the user's cohort options, completed with the defaults of the head."""
    defaults = heads.load(head.name).cohort_defaults(heads.options(head.name, head.options))
    return CohortOptions(**(defaults | options.model_dump(include=options.model_fields_set)))
