"""How the training steps of a head are computed: settings that change the last digits of a detector, or none."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["fp32", "tf32"]


class Computation(BaseModel):
    """The precision of a head's matrix products, and whether its training steps are compiled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: Precision = Field(
        "fp32", description="Precision of matrix products on CUDA: fp32, or tf32, which is faster."
    )
    compiled: bool = Field(
        default=False, description="Compile the training steps: minutes to start, meant for long trainings on CUDA."
    )
