"""Print the versions of what is installed for SpaCRD, for the containers: ``python tools/container_pins.py > FILE``.

Only SpaCRD's own dependencies and those of the extras that the containers have are listed, with the versions of this
environment.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("wsi", "dask", "spatialdata")


def pins(root: str, extras: tuple[str, ...]) -> dict[str, str]:
    """Return the version of every package that one needs, itself left out."""
    versions: dict[str, str] = {}
    pending = [(root, extras)]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while pending:
        name, wanted = pending.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        installed = distribution(name)
        versions[name] = installed.version.split("+")[0]
        for text in installed.requires or ():
            needed = Requirement(text)
            if any(_applies(needed, extra) for extra in ("", *wanted)):
                pending.append((canonicalize_name(needed.name), tuple(sorted(needed.extras))))
    del versions[root]
    return dict(sorted(versions.items()))


def _applies(needed: Requirement, extra: str) -> bool:
    return needed.marker is None or needed.marker.evaluate({"extra": extra})


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in pins("spacrd", EXTRAS).items())
