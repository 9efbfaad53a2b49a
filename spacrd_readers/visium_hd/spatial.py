"""The ``spatial`` folders of a Visium HD section, and um/px from their scale factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.tenx.scalefactors import SCALEFACTORS, Scalefactors, read_scalefactors
from spacrd_readers.visium_hd.files import SCALEFACTOR_FILES, find_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs


@dataclass(frozen=True)
class SpatialFolder:
    """The scale factors of one folder of bins or cells; its previews are beside them."""

    path: Path
    factors: Scalefactors

    @property
    def prefix(self) -> str:
        """The prefix of file names in a download."""
        return self.path.name.partition(SCALEFACTORS)[0]


def read_spatial(folders: Iterable[Path]) -> tuple[SpatialFolder, ...]:
    """Return the scale factors of the folders that have any."""
    paths = (find_file(folder, *SCALEFACTOR_FILES) for folder in dict.fromkeys(folders))
    return tuple(SpatialFolder(path, read_scalefactors(path)) for path in paths if path)


def um_per_px(
    fitted: float | None, source: str, spatial: tuple[SpatialFolder, ...], inputs: ImageInputs
) -> tuple[float, tuple[str, ...]]:
    """Return um/px as given, else fitted (to ``source``), else from the scale factors; and notes if they differ.

    Raises
    ------
    GeometryError
        If none of them is available.
    """
    stated = next(((s.factors.um_per_px, f"{s.path}") for s in spatial if s.factors.um_per_px), (None, ""))
    candidates = [(inputs.um_per_px, "the user"), (fitted, source), stated]
    available = [(value, origin) for value, origin in candidates if value]
    if not available:
        reasons = " and ".join(f"{s.path} has no microns_per_pixel" for s in spatial)
        raise GeometryError(f"um/px is unknown: {reasons or 'there are no scale factors'}", hint="use --um-per-px X")
    (used, origin), *others = available
    return used, tuple(
        f"um/px is {used:.4g} from {origin}, but {other} gives {value:.4g}"
        for value, other in others
        if abs(value / used - 1) > UM_PER_PX_TOLERANCE
    )
