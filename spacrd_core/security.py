"""Lowest library versions without a known vulnerability that a file could exploit; pyproject.toml repeats them."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class SecurityFloor:
    """The lowest safe version of a library, and the vulnerabilities of older ones."""

    library: str
    version: str
    advisories: str

    def excludes(self, version: str) -> bool:
        """Return whether a version is below the floor, or unreadable; a pre-release of the floor is below it."""
        try:
            return Version(version) < Version(self.version)  # HDF5's 1.14.4-2 is read as a post-release
        except InvalidVersion:
            return True


TORCH = SecurityFloor("torch", "2.10", "CVE-2025-32434, CVE-2026-24747")
PILLOW = SecurityFloor("pillow", "12.2", "CVE-2026-40192, CVE-2026-42308")
JINJA2 = SecurityFloor("jinja2", "3.1.6", "CVE-2025-27516")
HDF5 = SecurityFloor("hdf5", "1.14.4-2", "CVE-2026-26200")  # the C library inside h5py
NUMCODECS = SecurityFloor("numcodecs", "0.16.6", "GHSA-jqc8-qjfv-5m6r")  # of zarr; 0.17.0 has it, too
LIBRARY_FLOORS = (TORCH, PILLOW, JINJA2, NUMCODECS)
