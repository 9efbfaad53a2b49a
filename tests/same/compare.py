"""Run the chain in a variant's way, and compare what it leaves with what the usual one left."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from same.chain import COHORT, STORE, command, write_backwards
from same.left import left
from same.variants import LOCALES, Variant, environment_of, has_locale
from spacrd_core.demo.cohort import write_section
from spacrd_core.demo.specimen import draw_specimen

SLOWEST = 3600  # seconds


def write_cohort(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write the table of a cohort, and return it."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def write_small_cohort(folder: Path) -> Path:
    """Write two small sections of two patients with their table, and return it."""
    specimens = [draw_specimen(number, "st", seed=7, radius_um=1100.0, um_per_px=4.0) for number in (1, 2)]
    return write_cohort(folder / COHORT, [write_section(folder, specimen, "st") for specimen in specimens])


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
