"""A small legacy ST section on disk that tests modify."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

PX_PER_STEP = 20.0


@dataclass
class StFolder:
    """A 6 x 5 spot corner of the 33 x 35 frame, 20 px a step, 10 um a px, in her2st's folders."""

    root: Path
    counts: pd.DataFrame = field(init=False)
    spots: pd.DataFrame = field(init=False)
    image: tuple[int, int] | None = (640, 680)

    def __post_init__(self) -> None:
        random = np.random.default_rng(0)
        place = np.array([(x, y) for y in range(12, 17) for x in range(10, 16)])
        new = np.round(place + random.uniform(-0.2, 0.2, place.shape), 3)
        pixels = (new - 1) * PX_PER_STEP
        columns = ["x", "y", "new_x", "new_y", "pixel_x", "pixel_y"]
        self.spots = pd.DataFrame(np.hstack([place, new, pixels]), columns=columns).astype({"x": int, "y": int})
        self.spots["selected"] = 1
        ids = [f"{x}x{y}" for x, y in place[::-1]]
        self.counts = pd.DataFrame(
            random.poisson(2.0, (len(ids), 4)), index=ids, columns=["ERBB2", "KRT8", "WDFY4.1", "COL1A1"]
        )

    def write(self) -> Path:
        """Write the three files and return the path of the counts."""
        counts = self.root / "ST-cnts" / "T1.tsv.gz"
        spots = self.root / "ST-spotfiles" / "T1_selection.tsv"
        for path in (counts, spots):
            path.parent.mkdir(exist_ok=True)
        self.counts.to_csv(counts, sep="\t")
        self.spots.to_csv(spots, sep="\t", index=False)
        if self.image:
            self.write_image("9769_HE_small.png", self.image)
        return counts

    def write_image(self, name: str, size: tuple[int, int]) -> Path:
        """Write a blank image among the section's own."""
        path = self.root / "ST-imgs" / "T" / "T1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(path)
        return path


@pytest.fixture
def st(tmp_path: Path) -> StFolder:
    return StFolder(tmp_path)
