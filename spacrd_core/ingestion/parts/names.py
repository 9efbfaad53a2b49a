"""The section id of every region: ``NAME.REGION``."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.errors import ConfigError
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RENAME_HINT = "rename those regions, with letters, digits, '.', '_' and '-'"


def part_ids(area: str, regions: Iterable[str], path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the section id of every region, and a note on those whose names are not possible in one.

    Raises
    ------
    ConfigError
        If nothing of a name is possible in a section id, or several regions have the same id.
    """
    ids = {region: f"{area}.{_valid(region)}" for region in regions}
    impossible = [region for region in ids if not _valid(region)]
    if impossible:
        raise ConfigError(
            f"regions of {path} have names that cannot be part of a section id: {_quoted(impossible)}", hint=RENAME_HINT
        )
    by_id: dict[str, list[str]] = defaultdict(list)
    for region, section in ids.items():
        by_id[section.casefold()].append(region)  # folders of some systems ignore case
    for same in by_id.values():
        if len(same) > 1:
            raise ConfigError(
                f"the regions {_quoted(same)} of {path} would be the same section '{ids[same[0]]}'", hint=RENAME_HINT
            )
    changed = [f"'{region}' as {section}" for region, section in ids.items() if section != f"{area}.{region}"]
    return ids, (f"{path.name}: names made valid section ids: {listed(changed)}",) if changed else ()


def _valid(region: str) -> str:
    """Return what a section id can hold of a name: accents are dropped, other characters become ``_``."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", region) if not unicodedata.combining(sign))
    return re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("_.-")


def _quoted(names: Iterable[str]) -> str:
    return listed(names, quote="'")
