"""A legacy ST section of the synthetic tissue: a counts table, a spot table and an image."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from bundles.tissue import Pose, Tissue

PITCH_UM = 200.0


@dataclass(frozen=True)
class StSection:
    """The contents of a section; ``write`` writes them to a folder and returns the path of the counts."""

    tissue: Tissue = field(default_factory=Tissue)
    pose: Pose = field(default_factory=lambda: Pose(um_per_px=1.0))
    name: str = "T1"

    def write(self, folder: Path) -> Path:
        """Write the three files into one folder."""
        folder.mkdir(parents=True, exist_ok=True)
        steps = [np.arange(1, side // PITCH_UM) for side in self.tissue.size_um]
        array = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
        um = array * PITCH_UM
        px = self.pose.to_px(self.tissue, um)
        counts = pd.DataFrame(
            self.tissue.counts(um, mean=4.0, seed=1),
            index=[f"{x:.0f}x{y:.0f}" for x, y in array],
            columns=self.tissue.symbols,
        )
        spots = pd.DataFrame({"x": array[:, 0], "y": array[:, 1], "pixel_x": px[:, 0], "pixel_y": px[:, 1]})
        path = folder / f"{self.name}.tsv"
        counts.to_csv(path, sep="\t")
        spots.astype({"x": int, "y": int}).to_csv(folder / f"{self.name}_selection.tsv", sep="\t", index=False)
        Image.fromarray(self.tissue.picture(self.pose)).save(folder / f"{self.name}_HE.png")
        return path
