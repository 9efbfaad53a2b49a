"""Parse JSON of unknown origin: what is nested too deeply for a parser, or for who reads it, is not JSON to us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 100  # annotations inside annotations have ten or twenty
BLOCK = 2**22


def parse_json(text: str | bytes, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of a JSON text; ``parse_constant`` is that of :func:`json.loads`.

    Raises
    ------
    ValueError
        If it is not JSON, or nested deeper than ``MAX_DEPTH``.
    """
    data = text.encode("utf-8", errors="replace") if isinstance(text, str) else text
    if _depth(data) > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, parse_constant=parse_constant)
    except RecursionError as error:  # brackets that a text hides from the count
        raise ValueError("it is nested too deeply") from error


def _depth(data: bytes) -> int:
    """Return how deep brackets nest; those in texts count, too, and are closed there as a rule."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return 0
    import numpy as np  # noqa: PLC0415 - this module is imported by every command

    depth = deepest = 0
    for start in range(0, len(data), BLOCK):
        letters = np.frombuffer(data[start : start + BLOCK], dtype=np.uint8)
        opened = (letters == ord("[")) | (letters == ord("{"))
        closed = (letters == ord("]")) | (letters == ord("}"))
        depths = depth + np.cumsum(opened.astype(np.int32) - closed)
        deepest, depth = max(deepest, int(depths.max())), int(depths[-1])
    return deepest
