"""Run the chain in a variant's way, and compare what it leaves with what the usual one left."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from same.chain import COHORT, STORE, command, write_backwards
from same.left import left
from same.variants import LOCALES, Variant, environment_of, has_locale

SLOWEST = 600  # seconds


def write_cohort(file: Path, rows: Iterable[Sequence[object]]) -> Path:
    """Write the table of a cohort, by the path, name, patient and labels of its sections, and return it."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("path", "name", "patient", "labels"), *rows])
    return file


@dataclass(frozen=True)
class Workshop:
    """A folder with a cohort, in which every variant has a place of its own."""

    folder: Path
    cohort: Path

    def missing(self, variant: Variant) -> str:
        """Return why a variant cannot be run here; '' if it can."""
        name = variant.environment.get("LC_ALL") or ""
        if name in LOCALES and not has_locale(name, self.folder / "locales"):
            return f"this system has neither the locale {name} nor its definition"
        return ""

    def run(self, variant: Variant) -> dict[str, str]:
        """Return the checksums of what the chain leaves in a variant."""
        inside = self.folder / re.sub(r"\W+", "-", str(variant))
        place = inside / variant.place
        place.mkdir(parents=True)
        cohort = self.cohort
        if variant.choices.backwards:
            cohort = write_backwards(cohort, cohort.with_name(f"backwards-{COHORT}"))
        named = place
        if variant.through:
            named = inside / variant.through
            named.symlink_to(place)
        cwd = Path(variant.cwd) if variant.cwd else inside
        folder = os.path.relpath(named, cwd) if variant.relative else str(named)
        line = command(cohort, f"{folder}/{STORE}", folder, variant.choices)
        environment = environment_of(variant, self.folder / "locales")
        ended = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, check=False, timeout=SLOWEST)
        assert ended.returncode == 0, f"{variant}: {ended.stderr.decode(errors='replace')[-2000:]}"
        return left(place / STORE, place)
