"""Read ``scalefactors_json.json``: how Space Ranger's pictures relate to the full-resolution image."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import GeometryError
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

SCALEFACTORS = "scalefactors_json.json"
AGAIN = "copy it again from the run's spatial folder"


@dataclass(frozen=True)
class Scalefactors:
    """What the file says; None where it does not.

    Attributes
    ----------
    hires, lowres, cytassist
        Px of that picture per full-resolution px. ``cytassist`` is said by runs that used a CytAssist.
    bin_um, um_per_px
        Said by Visium HD alone.

    The diameter of a spot is not among them: it is 65 or 70 um by the assay, not the 55 um that a spot measures.
    """

    hires: float | None = None
    lowres: float | None = None
    cytassist: float | None = None
    bin_um: float | None = None
    um_per_px: float | None = None


NAMES = {
    "hires": "tissue_hires_scalef",
    "lowres": "tissue_lowres_scalef",
    "cytassist": "regist_target_img_scalef",
    "bin_um": "bin_size_um",
    "um_per_px": "microns_per_pixel",
}


def read_scalefactors(path: Path) -> Scalefactors:
    """Return the scale factors of a file, gzipped or not.

    Raises
    ------
    GeometryError
        If it is no JSON object, or one of them is no positive number.
    """
    text = read_text(path, "scale factors", GeometryError)
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise GeometryError(f"the scale factors {path} are no JSON: {error}", hint=AGAIN) from error
    if not isinstance(facts, dict):
        raise GeometryError(f"the scale factors {path} are no JSON object, but {str(facts)[:40]}", hint=AGAIN)
    return Scalefactors(**{own: _positive(facts, theirs, path) for own, theirs in NAMES.items()})


def _positive(facts: dict[str, object], name: str, path: Path) -> float | None:
    value: Any = facts.get(name)
    if value is None:
        return None
    if type(value) in (int, float) and math.isfinite(value) and value > 0:
        return float(value)
    raise GeometryError(f"the scale factors {path} give {value!r} as {name}, not a positive number", hint=AGAIN)
