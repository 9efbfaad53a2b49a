"""The ``spatial`` folders of a Visium HD section, and the um/px their scale factors state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError
from spacrd_readers.tenx.scalefactors import SCALEFACTORS, Scalefactors, read_scalefactors
from spacrd_readers.visium_hd.files import SCALES, find_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import Given

APART = 0.03


@dataclass(frozen=True)
class Spatial:
    """The scale factors of one folder of bins or cells; pictures lie beside them."""

    path: Path
    factors: Scalefactors

    @property
    def prefix(self) -> str:
        """What a download puts before the names of its files."""
        return self.path.name.partition(SCALEFACTORS)[0]


def read_spatial(folders: Iterable[Path]) -> tuple[Spatial, ...]:
    """Return the scale factors of those folders that have any."""
    found = (find_file(folder, *SCALES) for folder in dict.fromkeys(folders))
    return tuple(Spatial(path, read_scalefactors(path)) for path in found if path)


def um_per_px(
    fitted: float | None, by: str, spatial: tuple[Spatial, ...], given: Given
) -> tuple[float, tuple[str, ...]]:
    """Return um/px as given, or fitted (``by`` says to what), or as scale factors state it; a note where they differ.

    Raises
    ------
    GeometryError
        If none of them tells.
    """
    stated = next(((s.factors.um_per_px, f"{s.path}") for s in spatial if s.factors.um_per_px), None)
    found = [(given.um_per_px, "what was given"), (fitted, by), stated or (None, "")]
    known = [(value, source) for value, source in found if value]
    if not known:
        names = "".join(f", and {s.path} states no microns_per_pixel" for s in spatial).removeprefix(", and ")
        raise GeometryError(f"um/px is not known: {names or 'there are no scale factors'}", hint="--um-per-px X")
    (used, source), *others = known
    return used, tuple(
        f"um/px is {used:.4g} by {source}, though {other} says {value:.4g}"
        for value, other in others
        if abs(value / used - 1) > APART
    )
