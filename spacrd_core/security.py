"""Lowest library versions without a known vulnerability that a file could exploit; pyproject.toml repeats them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class SecurityFloor:
    """The lowest safe version of a library, and the vulnerabilities of older ones."""

    library: str
    version: str
    advisories: str

    def excludes(self, version: str) -> bool:
        """Return whether a version is below the floor; a pre-release of the floor is."""
        return _order(version) < _order(self.version)


TORCH = SecurityFloor("torch", "2.10", "CVE-2025-32434, CVE-2026-24747")
PILLOW = SecurityFloor("pillow", "12.2", "CVE-2026-40192, CVE-2026-42308")
JINJA2 = SecurityFloor("jinja2", "3.1.6", "CVE-2025-27516")
HDF5 = SecurityFloor("hdf5", "1.14.4-2", "CVE-2026-26200")  # the C library inside h5py
LIBRARY_FLOORS = (TORCH, PILLOW, JINJA2)


def _order(version: str) -> tuple[tuple[int, ...], bool, int]:
    """Return a sort key: release numbers, whether it is final, and the number after a hyphen, as in HDF5 1.14.4-2."""
    match = re.match(r"(\d+(?:\.\d+)*)(?:-(\d+)|(\.?(?:a|b|rc|dev)\d*))?", version)
    if match is None:
        return (), False, 0
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), match[3] is None, int(match[2] or 0)
