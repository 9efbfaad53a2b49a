"""The records in the configuration of a detector. It may come from a stranger, so that each has its bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, TypeAdapter, field_validator, model_serializer

from spacrd_core.cards import Recipe
from spacrd_core.files import Record
from spacrd_core.model.conformal import STEPS
from spacrd_core.prior.lists import GeneLists  # noqa: TC001 - pydantic needs it

Modalities = Literal["image+genes", "genes", "image"]
LogOdds = Annotated[float, Field(ge=-1e6, le=1e6)]  # above, sums of them overflow
Profile = Annotated[tuple[float, ...], Field(min_length=STEPS + 1, max_length=STEPS + 1)]
MAX_PATCH_PX, MAX_DIM = 4096, 100_000


class EncoderRecord(Record):
    """The encoder of the training embeddings; ``options`` are those that were set, without paths."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    recipe_key: str
    recipe: dict[str, Any]

    @field_validator("recipe")
    @classmethod
    def _require_recipe(cls, facts: dict[str, Any]) -> dict[str, Any]:
        try:
            recipe = TypeAdapter(Recipe).validate_python(Recipe.from_dict(facts).__dict__)
        except TypeError as error:
            raise ValueError(f"it is not a recipe: {error}") from error
        if not (0 < recipe.input_px <= MAX_PATCH_PX and 0 < recipe.dim <= MAX_DIM and 0 < recipe.um_per_px <= MAX_DIM):
            raise ValueError(f"{recipe.input_px} px of {recipe.um_per_px} um as {recipe.dim} numbers are not a recipe")
        return facts


class TrainingSection(Record):
    """A section that the detector was trained on; ``content`` are checksums of what was measured."""

    id: str
    patient: str
    platform: str
    identity: str
    label_source: str
    content: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_missing_content(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the checksums if there are none, as in detectors of earlier versions, whose key would change."""
        fields: dict[str, Any] = serialise(self)
        return fields if self.content else {name: value for name, value in fields.items() if name != "content"}


class AmountRecord(Record):
    """The shift of the log odds by facts that go with how much of a section is tumour."""

    expression: LogOdds
    correlation: LogOdds
    mean: LogOdds
    spread: LogOdds


class PriorRecord(Record):
    """How the detector uses what a section says of itself: the gene lists themselves, and their weights."""

    lists: GeneLists
    genes_weight: LogOdds
    fused_weight: LogOdds
    image_gate: bool


class CalibrationRecord(Record):
    """The parameters that turn logits into probabilities and labels."""

    method: Literal["platt", "prior", "none"]
    weights: dict[Modalities, LogOdds] = Field(min_length=1)
    slopes: dict[Modalities, LogOdds] = Field(min_length=1)
    intercept: LogOdds
    amount: AmountRecord | None
    threshold: float = Field(ge=0, le=1)
    threshold_rule: str
    nonconformity: tuple[Profile, ...]
