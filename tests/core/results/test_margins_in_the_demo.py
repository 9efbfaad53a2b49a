"""Distances and areas against the true geometry of the demo's five sections, which is known by formula."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from numpy.typing import NDArray
from scipy import ndimage, sparse

from spacrd_core.demo.cohort import PLATFORMS, RADIUS_UM
from spacrd_core.demo.genes import Programmes
from spacrd_core.demo.measure import ST_SPOT_UM, VISIUM_SPOT_UM, measure_st, measure_visium, measure_xenium
from spacrd_core.demo.specimen import Specimen
from spacrd_core.demo.tissue import TUMOUR, Tissue, draw_tissue
from spacrd_core.results.result import SectionResult
from spacrd_readers.tenx.cell_spots import square_spots

STEP_UM = 10.0
CROSS = ndimage.generate_binary_structure(2, 1)
PITCH_UM = {"st": 200.0, "visium": 100.0, "xenium": 100.0}
SPOT_UM = {"st": ST_SPOT_UM, "visium": VISIUM_SPOT_UM, "xenium": 100.0}

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Truth:
    """Tissue, tumour and the signed distance from the border between tumour and other tissue, as fine pictures."""

    def __init__(self, tissue: Tissue) -> None:
        (top, bottom), (self.left, right) = tissue.extent_um
        self.top = top
        across, down = (
            np.arange(low, high, STEP_UM) + STEP_UM / 2 for low, high in ((self.left, right), (top, bottom))
        )
        x, y = np.meshgrid(across, down)
        self.tissue: Mask = tissue.depth_um(x, y) > 0
        self.tumour: Mask = np.zeros_like(self.tissue)
        self.tumour[self.tissue] = tissue.shares(x[self.tissue], y[self.tissue]).argmax(axis=-1) == TUMOUR
        other = self.tissue & ~self.tumour
        outer, inner = (
            here & ndimage.binary_dilation(there, CROSS) for here, there in ((other, self.tumour), (self.tumour, other))
        )
        inward, outward = (ndimage.distance_transform_edt(~edge) * STEP_UM - STEP_UM / 2 for edge in (outer, inner))
        self.distance: Floats = np.where(self.tumour, -inward, outward)

    @property
    def tumour_mm2(self) -> float:
        return float(self.tumour.sum()) * STEP_UM**2 / 1e6

    def at(self, values: NDArray[Any], x: Floats, y: Floats) -> NDArray[Any]:
        """Return the values of a picture at positions in um; those of its edge outside it."""
        columns, rows = (((um - corner) // STEP_UM).astype(int) for um, corner in ((x, self.left), (y, self.top)))
        return values[rows.clip(0, values.shape[0] - 1), columns.clip(0, values.shape[1] - 1)]


@cache
def truth_of(number: int) -> Truth:
    return Truth(specimen(number).tissue)


@cache
def specimen(number: int) -> Specimen:
    """Return a specimen of the demo without its picture, which takes seconds."""
    platform = PLATFORMS[number - 1]
    tissue_rng, gene_rng, _ = np.random.default_rng([7, number]).spawn(3)
    tissue = draw_tissue(tissue_rng, radius_um=RADIUS_UM[platform])
    programmes = Programmes.draw(np.random.default_rng(7)).for_platform(np.random.default_rng([7, *platform.encode()]))
    blank = np.zeros((1, 1, 3), dtype=np.uint8)
    seed = [7, number, *platform.encode()]
    return Specimen(f"S{number}", f"P{number}", tissue, programmes.for_patient(gene_rng), blank, 1.0, seed)


@cache
def spot_table(number: int) -> pd.DataFrame:
    """Return the spots of a section in um of its tissue."""
    platform = PLATFORMS[number - 1]
    if platform == "xenium":
        return square_spots(measure_xenium(specimen(number)).centres_um, SPOT_UM[platform]).table
    spots = (measure_st if platform == "st" else measure_visium)(specimen(number))
    return pd.DataFrame(spots.centres_um, columns=["x_um", "y_um"], index=[f"s{i}" for i in range(len(spots.array))])


def true_shares(truth: Truth, table: pd.DataFrame, platform: str) -> Floats:
    """Return the share of the tissue under each spot that is tumour."""
    side = (np.arange(11) - 5) / 11 * SPOT_UM[platform]
    dx, dy = np.meshgrid(side, side)
    under = np.hypot(dx, dy) <= SPOT_UM[platform] / 2 if platform != "xenium" else np.full(dx.shape, fill_value=True)
    x, y = (table[axis].to_numpy()[:, None] + offset[under] for axis, offset in (("x_um", dx), ("y_um", dy)))
    tissue, tumour = (truth.at(mask, x, y).sum(axis=1) for mask in (truth.tissue, truth.tumour))
    return np.asarray(tumour / np.maximum(tissue, 1), dtype=float)


def section(table: pd.DataFrame, cancer: Mask, platform: str) -> SectionResult:
    obs = table.assign(x_px=table["x_um"] / 2, y_px=table["y_um"] / 2)
    spots = pd.DataFrame({"probability": np.where(cancer, 0.9, 0.1), "ood": 0.0}, index=obs.index)
    return SectionResult(
        section_id="S",
        patient="P",
        platform=platform,
        adata=AnnData(sparse.csr_matrix((len(obs), 1)), obs=obs),
        spots=spots,
        um_per_px=2.0,
        spot_um=SPOT_UM[platform],
        spot_shape="square" if platform == "xenium" else "disc",
        pitch_um=PITCH_UM[platform],
        threshold=0.5,
    )


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("number", range(1, 6))
def test_with_true_labels_distances_are_right_to_half_a_spot_and_areas_to_10_percent(number: int) -> None:
    platform = PLATFORMS[number - 1]
    truth, table = truth_of(number), spot_table(number)
    result = section(table, true_shares(truth, table, platform) > 0.5, platform)
    x, y = table["x_um"].to_numpy(), table["y_um"].to_numpy()
    on_tissue = truth.at(truth.tissue, x, y).astype(bool)
    distance_um = np.asarray(result.margins.distance_um, dtype=float)
    error = np.abs(distance_um - truth.at(truth.distance, x, y))[on_tissue]
    assert np.median(error) < SPOT_UM[platform] / 2
    assert np.percentile(error, 95) < 0.56 * PITCH_UM[platform]  # true islands and gaps smaller than a spot are missed
    assert result.cancer_mm2 == pytest.approx(truth.tumour_mm2, rel=0.1)


def test_without_coverage_the_area_on_xenium_counts_the_glass_in_partial_squares() -> None:
    truth, table = truth_of(5), spot_table(5)
    cancer = true_shares(truth, table, "xenium") > 0.5
    whole = section(table.drop(columns="tissue_coverage"), cancer, "xenium").cancer_mm2
    partial = section(table, cancer, "xenium").cancer_mm2
    assert whole
    assert whole
    assert whole > 1.1 * truth.tumour_mm2
    assert partial == pytest.approx(truth.tumour_mm2, rel=0.05)
