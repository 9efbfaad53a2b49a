"""Choose the coordinate system of a section, and map its elements to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.quoting import listed, shortened
from spacrd_readers._base import first_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DEFAULT_SYSTEM = "global"  # the library's own default
PREVIEW_FRAMES = ("downscaled_hires", "downscaled_lowres")  # ends of names: px of Space Ranger's small pictures
AXES = ("x", "y")


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """An affine map of the plane, as a 3 x 3 matrix that is applied to columns ``(x, y, 1)``."""

    matrix: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Units of the target along a unit of the source, as the mean of both axes by area."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))

    def apply(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mapped points (n x 2)."""
        return np.asarray(xy @ self.matrix[:2, :2].T + self.matrix[:2, 2])

    def inverse(self) -> PlaneMap:
        """Return the map back."""
        return PlaneMap(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64))

    def is_scale(self, tolerance: float) -> bool:
        """Return whether it only scales, by one factor: within a relative tolerance, and within one px of offset."""
        deviation = np.abs(self.matrix[:2, :2] - np.eye(2) * self.scale).max() / self.scale
        return bool(deviation <= tolerance and np.abs(self.matrix[:2, 2]).max() <= self.scale)


IDENTITY = PlaneMap(np.eye(3))


def choose_system(data: Any, elements: Sequence[str], name: str, path: Path) -> str:
    """Return the coordinate system of a name; by default the one that all elements share, 'global' before others.

    Raises
    ------
    ConfigError
        If the elements are not in the system of that name.
    UnrecognisedSection
        If there are several, or none.
    """
    systems = _shared(data, elements)
    if name:
        if name not in systems:
            raise ConfigError(
                f"{listed(elements)} of {path} has no transformation to the coordinate system '{shortened(name)}'; it "
                f"has: {listed(systems) or 'none'}",
                hint="use --set reader.coordinate_system=NAME",
            )
        return name
    if DEFAULT_SYSTEM in systems or not (elements or systems):
        return DEFAULT_SYSTEM
    whole = [system for system in systems if not system.endswith(PREVIEW_FRAMES)] or systems
    if len(whole) == 1:
        return whole[0]
    names = first_names(elements) or "the elements"
    if not whole:
        raise UnrecognisedSection(
            f"{names} of {path} are in no coordinate system together, so they are parts of different sections",
            hint="use --set reader.region=NAME",
        )
    raise UnrecognisedSection(
        f"{names} of {path} can be placed in {len(whole)} coordinate systems ({first_names(whole, 8)}), expected one",
        hint=f"use --set reader.coordinate_system={whole[0]}",
    )


def _shared(data: Any, elements: Sequence[str]) -> list[str]:
    """Return the systems that all elements are in; those of the whole object if there are no elements."""
    if not elements:
        return [str(system) for system in data.coordinate_systems]
    systems = [list(transformations(data[element])) for element in elements]
    return sorted(system for system in systems[0] if all(system in other for other in systems))


def transformations(element: Any) -> dict[str, Any]:
    """Return the transformations of an element, by coordinate system."""
    from spatialdata.transformations import get_transformation  # noqa: PLC0415 - an optional dependency

    return dict(get_transformation(element, get_all=True))


def map_to(element: Any, system: str) -> PlaneMap:
    """Return the map of an element to a coordinate system that it is in."""
    matrix = transformations(element)[system].to_affine_matrix(input_axes=AXES, output_axes=AXES)
    return PlaneMap(np.asarray(matrix, dtype=np.float64))
