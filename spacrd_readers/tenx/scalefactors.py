"""Read ``scalefactors_json.json``: how Space Ranger's previews relate to the full-resolution image."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import GeometryError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

SCALEFACTORS = "scalefactors_json.json"
MAX_FACTOR = 1e6  # a bin of Visium HD has up to 100 um, all others are below that
COPY_AGAIN = "copy it again from the run's spatial folder"


@dataclass(frozen=True)
class Scalefactors:
    """The scale factors in a file; None if absent.

    Attributes
    ----------
    hires, lowres, cytassist
        Px of that image per full-resolution px. Only runs with a CytAssist have ``cytassist``.
    bin_um, um_per_px
        Only in Visium HD.

    The spot diameter is not read: it is 65 or 70 um depending on the assay, not the 55 um that a spot measures.
    """

    hires: float | None = None
    lowres: float | None = None
    cytassist: float | None = None
    bin_um: float | None = None
    um_per_px: float | None = None


JSON_KEYS = {
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
        If it is not a JSON object, or a scale factor is not a positive number.
    """
    text = read_text(path, "scale factors", GeometryError)
    try:
        facts = parse_json(text)
    except ValueError as error:
        raise GeometryError(f"the scale factors {path} are not JSON: {error}", hint=COPY_AGAIN) from error
    if not isinstance(facts, dict):
        raise GeometryError(f"the scale factors {path} are not a JSON object: {str(facts)[:40]}", hint=COPY_AGAIN)
    return Scalefactors(**{name: _positive(facts, key, path) for name, key in JSON_KEYS.items()})


def _positive(facts: dict[str, object], name: str, path: Path) -> float | None:
    value: Any = facts.get(name)
    if value is None:
        return None
    if type(value) in (int, float) and 0 < value < MAX_FACTOR:
        return float(value)
    raise GeometryError(
        f"{name} in the scale factors {path} is {reprlib.repr(value)}, not a positive number", hint=COPY_AGAIN
    )
