"""Read ``experiment.xenium``: what made a bundle, and how large a px of its morphology images is."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import GeometryError, InputError
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

VERSION = re.compile(r"[xX]enium-(\d+)(\.\d+)*")
NEWEST = 4


@dataclass(frozen=True)
class Experiment:
    """The facts of a bundle: um per px of its morphology images, and the software that wrote it ('' if not said)."""

    pixel_size: float
    software: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the software."""
        found = VERSION.match(self.software)
        if found and int(found[1]) > NEWEST:
            return (f"written by {self.software}; bundles of Xenium 1 to {NEWEST} are known, so check the result",)
        return ()


def read_experiment(path: Path, um_per_px: float | None) -> Experiment:
    """Return the facts of an ``experiment.xenium``; ``um_per_px`` is what the user gave, for a file that says nothing.

    Raises
    ------
    InputError
        If it is not a JSON object.
    GeometryError
        If the size of a px is not known, or is given though the file says it.
    """
    facts = _facts(path)
    said = facts.get("pixel_size")
    if said is not None and um_per_px is not None:
        raise GeometryError(
            f"{path} says that its px are {said} um wide, so um/px is not to be given", hint="leave --um-per-px out"
        )
    return Experiment(_checked(um_per_px if said is None else said, path), _software(facts))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(read_text(path, "experiment file"))
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint="copy it again from the bundle") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path} holds no JSON object", hint="copy it again from the bundle")
    return facts


def _checked(size: Any, path: Path) -> float:
    try:
        number = float(size)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        found = "no pixel_size" if size is None else f"a pixel_size of {size!r}, which is no size in um"
        raise GeometryError(f"{path} has {found}", hint="--um-per-px X, of the morphology images")
    return number


def _software(facts: dict[str, Any]) -> str:
    """Xenium Ranger rewrites a bundle, and leaves the name of the instrument's software in place."""
    ranger = facts.get("xenium_ranger")
    version = ranger.get("version") if isinstance(ranger, dict) else None
    return str(version or facts.get("analysis_sw_version") or "")
