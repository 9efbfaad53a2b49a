"""One tissue, measured by every platform: results after the readers do not depend on which."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from bundles.st import StSection
from bundles.tissue import MARKERS, Pose, Tissue
from bundles.visium import VisiumBundle
from bundles.visium_hd import HdRun
from bundles.xenium import He, XeniumBundle
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.forward import tiles_from_windows
from spacrd_core.embedding.settings import Settings
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.section.geometry import neighbours
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.store.store import SpotStore

TISSUE = Tissue(size_um=(2400.0, 2000.0), square_um=(500.0, 500.0, 1700.0, 1500.0))
POSES = {  # every platform photographs it in its own way
    "st": Pose(um_per_px=1.8),
    "visium": Pose(um_per_px=1.4, degrees=90),
    "visium_hd": Pose(um_per_px=1.0, degrees=180, mirrored=True),
    "xenium": Pose(um_per_px=1.2, degrees=270),
}
PATCH_UM, PATCH_PX = 112.0, 56


@dataclass(frozen=True)
class Cohort:
    """A store with one section a platform, embedded."""

    store: SpotStore

    def places_um(self, platform: str) -> NDArray[np.float64]:
        """Where the spots of a section are on the tissue, by the truth of its photograph."""
        obs = self.store.section(platform).obs
        return POSES[platform].to_um(TISSUE, obs[["x_px", "y_px"]].to_numpy())

    def dark_by_genes(self, platform: str) -> NDArray[np.bool_]:
        """Which spots express the markers of the square more than their rivals."""
        adata = self.store.section(platform)
        counts = adata[:, list(TISSUE.symbols[: 2 * MARKERS])].X.toarray()
        return np.asarray(counts[:, :MARKERS].sum(axis=1) > counts[:, MARKERS:].sum(axis=1))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Cohort:
    folder = tmp_path_factory.mktemp("platforms")
    he = He(pose=POSES["xenium"])
    paths = {
        "st": StSection(TISSUE, POSES["st"]).write(folder / "st"),
        "visium": VisiumBundle(TISSUE, POSES["visium"], rows=25, columns=52, images=("hires", "full")).write(
            folder / "visium"
        ),
        "visium_hd": HdRun(tissue=TISSUE, pose=POSES["visium_hd"], image="beside").write(folder / "hd"),
        "xenium": XeniumBundle(tissue=TISSUE, he=he).write(folder / "xenium"),
    }
    store = SpotStore.create(folder / "store")
    for platform, path in paths.items():
        ingested = ingest(store, path, name=platform, plugins=plugins)
        assert ingested.entry.platform == platform
    embed(store, "stain", plugins=plugins, settings=Settings(device="cpu"))
    return Cohort(store)


@pytest.mark.parametrize("platform", POSES)
def test_spots_lie_on_the_tissue_where_their_genes_were_measured(cohort: Cohort, platform: str) -> None:
    places, entry = cohort.places_um(platform), cohort.store.entry(platform)
    left, top, right, bottom = TISSUE.square_um
    to_edge = np.min([np.abs(places - (left, top)), np.abs(places - (right, bottom))], axis=(0, 2))
    clear = to_edge > entry.spot_um  # a spot on the edge is half dark
    np.testing.assert_array_equal(cohort.dark_by_genes(platform)[clear], TISSUE.dark(places[clear]))


@pytest.mark.parametrize("platform", POSES)
def test_the_square_is_found_at_its_um_within_half_a_spot(cohort: Cohort, platform: str) -> None:
    places, entry = cohort.places_um(platform), cohort.store.entry(platform)
    left, top, right, bottom = TISSUE.square_um
    centre = places[cohort.dark_by_genes(platform)].mean(axis=0)
    np.testing.assert_allclose(centre, [(left + right) / 2, (top + bottom) / 2], atol=entry.spot_um / 2)


@pytest.mark.parametrize("platform", POSES)
def test_patches_show_the_same_um(cohort: Cohort, platform: str) -> None:
    """The share of dark px in a patch is the share of the square in 112 um of tissue, whatever a px is."""
    pyramid = cohort.store.pyramid(platform)
    assert pyramid is not None
    centres = cohort.store.section(platform).obs[["x_px", "y_px"]].to_numpy() * cohort.store.slide_scale(platform)
    plan = PatchPlan.from_centres(pyramid, centres, patch_um=PATCH_UM, patch_px=PATCH_PX)
    shown = np.empty(len(centres))
    for windows in plan.cut(np.arange(len(centres))):
        tiles = tiles_from_windows(windows, side=plan.side, input_px=PATCH_PX, device=torch.device("cpu"))
        shown[windows.rows] = (tiles[:, 1] < 110).float().mean(dim=(1, 2)).numpy()
    np.testing.assert_allclose(shown, _share_of_square(cohort.places_um(platform)), atol=0.05)


def _share_of_square(places_um: NDArray[np.float64]) -> NDArray[np.float64]:
    left, top, right, bottom = TISSUE.square_um
    low, high = places_um - PATCH_UM / 2, places_um + PATCH_UM / 2
    inside = np.minimum(high, (right, bottom)) - np.maximum(low, (left, top))
    return np.asarray(np.clip(inside / PATCH_UM, 0, 1).prod(axis=1))


@pytest.mark.parametrize(("first", "second"), [("st", "visium"), ("visium", "visium_hd"), ("visium_hd", "xenium")])
def test_embeddings_of_one_place_agree_across_platforms(cohort: Cohort, first: str, second: str) -> None:
    one, other = (cohort.store.embedding(name, encoder="stain").values for name in (first, second))
    spread = np.concatenate([one, other]).std(axis=0) + 1e-6
    distance, nearest = cKDTree(cohort.places_um(second)).query(cohort.places_um(first))
    near = distance < 60.0
    shuffled = np.random.default_rng(0).permutation(nearest[near])
    apart = [np.linalg.norm((one[near] - other[pairs]) / spread, axis=1).mean() for pairs in (nearest[near], shuffled)]
    assert near.sum() > 50
    assert apart[0] < 0.4 * apart[1]


@pytest.mark.parametrize("platform", POSES)
def test_neighbourhoods_reach_equally_far_in_pitches(cohort: Cohort, platform: str) -> None:
    obs, entry = cohort.store.section(platform).obs, cohort.store.entry(platform)
    xy = obs[["x_um", "y_um"]].to_numpy()
    indices, present = neighbours(xy, k=9, radius_um=1.6 * entry.pitch_um)
    reach = np.where(present, np.linalg.norm(xy[indices] - xy[:, None], axis=2), 0).max(axis=1) / entry.pitch_um
    assert reach.max() <= 1.6
    assert np.median(present.sum(axis=1)) == (7 if platform == "visium" else 9)  # itself and the ring round it
    places = cohort.places_um(platform)
    inner = (np.abs(places - _middle()) < _half() - 1.6 * entry.pitch_um).all(axis=1)
    dark: Any = cohort.dark_by_genes(platform)
    assert inner.any()
    assert dark[indices[inner]][present[inner]].all()


def _middle() -> NDArray[np.float64]:
    left, top, right, bottom = TISSUE.square_um
    return np.array([(left + right) / 2, (top + bottom) / 2])


def _half() -> NDArray[np.float64]:
    left, top, right, bottom = TISSUE.square_um
    return np.array([right - left, bottom - top]) / 2
