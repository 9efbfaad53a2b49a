"""Out-of-fold scores as the content of a file: safetensors, in which a text says what each tensor is."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load, save

from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.model.fold_scores import FoldScores
from spacrd_core.model.label_shift import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spacrd_core.arrays import Array

TEXT = "text"  # the name of the tensor with the text
UNREADABLE = (SafetensorError, ValueError, LookupError, TypeError, MemoryError)
BYTES_PER_SPOT = 1000  # of a section with image and genes: twenty scores, and as many in mixtures
MAX_TEXT_BYTES = 2**20

Names = dict[str, dict[str, str]]  # the names of tensors, by modalities and part


class _Mixture(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    patient: str
    scores: str
    labels: str
    amount: str


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    section: str
    logits: Names
    combined: Names
    as_read: str | None
    mixtures: tuple[_Mixture, ...]


_SECTIONS = TypeAdapter(tuple[_Section, ...])


def max_bytes(spots: int) -> int:
    """Return more bytes than the scores of sections with this number of spots have as a file."""
    return MAX_TEXT_BYTES + BYTES_PER_SPOT * spots


def to_bytes(scores: Sequence[FoldScores]) -> bytes:
    """Return the content of a file."""
    tensors: dict[str, Array] = {}

    def put(array: Any) -> str:
        name = str(len(tensors))
        tensors[name] = np.ascontiguousarray(array)
        return name

    sections = tuple(_section(each, put) for each in scores)
    tensors[TEXT] = np.frombuffer(_SECTIONS.dump_json(sections), dtype=np.uint8)
    return save(tensors)


def from_bytes(content: bytes) -> list[FoldScores] | None:
    """Return the scores in the content of a file; None if there are none."""
    try:
        tensors = load(content)
        sections = _SECTIONS.validate_json(tensors[TEXT].tobytes())
        return [_scores(each, tensors) for each in sections]
    except UNREADABLE:
        return None


def _section(scores: FoldScores, put: Callable[[Any], str]) -> _Section:
    """Return the text about a section; ``put`` stores an array and returns its name."""

    def put_all(arrays: Mapping[str, Mapping[str, Array]]) -> Names:
        return {name: {part: put(array) for part, array in parts.items()} for name, parts in arrays.items()}

    return _Section(
        section=scores.section,
        logits=put_all(scores.logits),
        combined=put_all(scores.combined),
        as_read=None if scores.as_read is None else put(scores.as_read),
        mixtures=tuple(
            _Mixture(
                patient=each.patient, scores=put(each.scores), labels=put(each.labels), amount=put(astuple(each.amount))
            )
            for each in scores.mixtures
        ),
    )


def _scores(section: _Section, tensors: Mapping[str, Array]) -> FoldScores:
    def get_all(names: Names) -> dict[str, dict[str, Array]]:
        return {name: {part: tensors[tensor] for part, tensor in parts.items()} for name, parts in names.items()}

    return FoldScores(
        section=section.section,
        logits=get_all(section.logits),
        combined=get_all(section.combined),
        as_read=None if section.as_read is None else tensors[section.as_read],
        mixtures=tuple(
            Mixture(
                each.patient,
                tensors[each.scores],
                tensors[each.labels],
                TumourAmount(*map(float, tensors[each.amount])),
            )
            for each in section.mixtures
        ),
    )
