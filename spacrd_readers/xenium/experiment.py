"""Read ``experiment.xenium``: the software that wrote a bundle, and the pixel size of its morphology images."""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import GeometryError, InputError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

XENIUM_VERSION = re.compile(r"[xX]enium-(\d+)(\.\d+)*")
NEWEST_KNOWN = 4


@dataclass(frozen=True)
class Experiment:
    """um per px of a bundle's morphology images, and the software that wrote it ('' if unknown)."""

    pixel_size: float
    software: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """A warning if the software is newer than the supported versions."""
        match = XENIUM_VERSION.match(self.software)
        if match and int(match[1]) > NEWEST_KNOWN:
            return (f"written by {self.software}; only Xenium 1 to {NEWEST_KNOWN} is supported, so check the result",)
        return ()


def read_experiment(path: Path, um_per_px: float | None) -> Experiment:
    """Return the facts of an ``experiment.xenium``; ``um_per_px`` is the user's value, for a file without one.

    Raises
    ------
    InputError
        If it is not a JSON object.
    GeometryError
        If the pixel size is unknown, or is both given and in the file.
    """
    facts = _facts(path)
    stored = facts.get("pixel_size")
    if stored is not None and um_per_px is not None:
        raise GeometryError(
            f"{path} has a pixel size of {stored} um, so um/px must not be given", hint="omit --um-per-px"
        )
    return Experiment(_checked(um_per_px if stored is None else stored, path), _software(facts))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = parse_json(read_text(path, "experiment file"))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}", hint="copy it again from the bundle") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path} is not a JSON object", hint="copy it again from the bundle")
    return facts


def _checked(size: Any, path: Path) -> float:
    try:
        number = float(size)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number < math.inf:
        problem = "no pixel_size" if size is None else f"a pixel_size of {reprlib.repr(size)}, expected a size in um"
        raise GeometryError(f"{path} has {problem}", hint="use --um-per-px X, of the morphology images")
    return number


def _software(facts: dict[str, Any]) -> str:
    """Return the Xenium Ranger version, else the instrument's: a rewritten bundle keeps the latter too."""
    ranger = facts.get("xenium_ranger")
    version = ranger.get("version") if isinstance(ranger, dict) else None
    return str(version or facts.get("analysis_sw_version") or "")
