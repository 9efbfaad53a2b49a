"""The cohort of the demo: synthetic patients on different platforms, with matching H&E and gene expression."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

from spacrd_core.demo.measure import measure_st, measure_visium, measure_xenium
from spacrd_core.demo.specimen import draw_specimen
from spacrd_core.demo.write_st import write_st
from spacrd_core.demo.write_visium import write_visium
from spacrd_core.demo.write_xenium import write_xenium

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.demo.specimen import Specimen

Platform = Literal["st", "visium", "xenium"]

COHORT_COLUMNS = ("path", "name", "patient", "reader", "labels", "positive", "image", "alignment")
PLATFORMS: tuple[Platform, ...] = ("st", "st", "visium", "visium", "xenium")
RADIUS_UM = {"st": 1950.0, "visium": 1000.0, "xenium": 1350.0}  # tissue radius: 300 to 600 spots on each platform
UM_PER_PX = {"st": 2.0, "visium": 2.2, "xenium": 1.8}  # scanner resolution


def write_demo_cohort(folder: Path, *, platforms: Sequence[Platform] = PLATFORMS, seed: int = 7) -> Path:
    """Write sections S1, S2, ... of patients P1, P2, ..., one per entry of ``platforms``; return ``cohort.csv``.

    ``spacrd ingest --cohort`` reads the file. The same seed gives the same sections, independent of later entries.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def write(section: tuple[int, Platform]) -> dict[str, str]:
        return write_demo_section(folder, *section, seed=seed)

    with ThreadPoolExecutor(max_workers=2) as pool:  # numpy and Pillow release the GIL
        rows = list(pool.map(write, enumerate(platforms, start=1)))
    table = folder / "cohort.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COHORT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return table


def write_demo_section(folder: Path, number: int, platform: Platform, *, seed: int) -> dict[str, str]:
    """Write a section of the demo; return its row in the cohort table."""
    return write_section(folder, demo_specimen(number, platform, seed=seed), platform)


def demo_specimen(number: int, platform: Platform, *, seed: int) -> Specimen:
    """Return a patient's tissue in the size the demo uses for a platform."""
    sizes = {"radius_um": RADIUS_UM[platform], "um_per_px": UM_PER_PX[platform]}
    return draw_specimen(number, platform, seed=seed, **sizes)


def write_section(folder: Path, specimen: Specimen, platform: Platform) -> dict[str, str]:
    """Measure a specimen and write the platform's files; return the section's row in the cohort table."""
    if platform == "st":
        return write_st(folder, specimen, measure_st(specimen))
    if platform == "visium":
        return write_visium(folder, specimen, measure_visium(specimen))
    return write_xenium(folder, specimen, measure_xenium(specimen))
