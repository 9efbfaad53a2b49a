"""ST files of the demo, in the layout of the her2st data."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from spacrd_core.demo.genes import GENES
from spacrd_core.demo.tissue import TISSUE_CLASSES

Rows = dict[str, dict[str, str]]


def test_counts_are_integers_spots_by_genes_named_by_array_position(cohort: Path, rows: Rows) -> None:
    counts = pd.read_csv(cohort.parent / rows["st"]["path"], sep="\t", index_col=0)
    assert counts.index.str.fullmatch(r"\d+x\d+").all()
    assert counts.index.is_unique
    assert tuple(counts.columns) == GENES
    assert (counts.dtypes == np.int64).all()
    assert 250 <= len(counts) <= 350


def test_pixels_follow_the_array_position_on_an_image_cropped_to_the_frame(cohort: Path, rows: Rows) -> None:
    spots = pd.read_csv(cohort.parent / "ST-spotfiles/S1_selection.tsv", sep="\t")
    with Image.open(cohort.parent / rows["st"]["image"]) as image:
        width, height = image.size
    assert max(width, height) <= 3400
    assert list(spots.columns) == ["x", "y", "new_x", "new_y", "pixel_x", "pixel_y", "selected"]
    np.testing.assert_allclose(spots.pixel_x, (spots.new_x - 1) * width / 32, atol=0.06)
    np.testing.assert_allclose(spots.pixel_y, (spots.new_y - 1) * height / 34, atol=0.06)


def test_every_spot_is_labelled_in_a_separate_pixel_space_with_an_upward_y_axis(cohort: Path, rows: Rows) -> None:
    labels = pd.read_csv(cohort.parent / rows["st"]["labels"], sep="\t")
    spots = pd.read_csv(cohort.parent / "ST-spotfiles/S1_selection.tsv", sep="\t")
    np.testing.assert_array_equal(labels[["x", "y"]], spots[["new_x", "new_y"]])
    assert np.corrcoef(labels.y, labels.pixel_y)[0, 1] < -0.99
    assert set(labels.label) <= {*TISSUE_CLASSES, "undetermined"}
    assert (labels.label == "invasive cancer").mean() > 0.15
