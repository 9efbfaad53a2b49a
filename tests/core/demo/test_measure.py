"""Simulated measurements: counts follow the tissue in spots and cells, and no single gene separates cancer."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.metrics import roc_auc_score

from spacrd_core.demo.cohort import demo_specimen
from spacrd_core.demo.genes import GENES, MARKERS, PANEL
from spacrd_core.demo.measure import Cells, Spots, measure_visium, measure_xenium
from spacrd_core.demo.specimen import Specimen
from spacrd_core.demo.tissue import STROMA, TUMOUR


@pytest.fixture(scope="module")
def xenium() -> Specimen:
    return demo_specimen(3, "xenium", seed=7)


@pytest.fixture(scope="module")
def cells(xenium: Specimen) -> Cells:
    return measure_xenium(xenium)


def share_of(gene: str, counts: np.ndarray, genes: tuple[str, ...]) -> np.ndarray:
    return counts[:, genes.index(gene)] / np.maximum(counts.sum(axis=1), 1)


def test_genes_separate_cancer_from_other_tissue_but_no_single_gene_does_so_fully(spots: Spots) -> None:
    cancer = np.array([label == "invasive cancer" for label in spots.labels])
    aucs = [roc_auc_score(cancer, share_of(gene, spots.counts, GENES)) for gene in ("ERBB2", "KRT8", "EPCAM", "FOXA1")]
    assert max(aucs) > 0.65
    assert max(aucs) < 0.99
    matrix = sum(share_of(gene, spots.counts, GENES) for gene in MARKERS[STROMA])
    assert roc_auc_score(cancer, -matrix) > 0.7


def test_the_image_separates_cancer_from_other_tissue_but_not_perfectly(specimen: Specimen, spots: Spots) -> None:
    cancer = np.array([label == "invasive cancer" for label in spots.labels])
    centres = np.rint(spots.centres_um / specimen.um_per_px).astype(int)
    red = np.array([specimen.picture[y - 25 : y + 25, x - 25 : x + 25, 0].mean() for x, y in centres])
    assert 0.85 < roc_auc_score(cancer, -red) < 1.0


def test_visium_spots_lie_100_um_apart_on_a_hexagonal_lattice_under_tissue(specimen: Specimen) -> None:
    visium = measure_visium(specimen)
    distances, _ = cKDTree(visium.centres_um).query(visium.centres_um, k=7)
    assert np.median(distances[:, 1:]) == pytest.approx(100.0, rel=0.01)
    assert ((visium.array.sum(axis=1) % 2) == 0).all()
    assert visium.array.max(axis=0).tolist() <= [127.0, 77.0]
    assert (specimen.tissue.depth_um(*visium.centres_um.T) > -30).all()


@pytest.mark.slow
def test_cells_lie_in_tissue_at_about_2000_per_mm2_and_count_panel_genes(xenium: Specimen, cells: Cells) -> None:
    assert (xenium.tissue.depth_um(*cells.centres_um.T) > 0).all()
    (top, bottom), (left, right) = xenium.tissue.extent_um
    x, y = np.meshgrid(np.arange(left, right, 20.0), np.arange(top, bottom, 20.0))
    mm2 = (xenium.tissue.depth_um(x, y) > 0).sum() * 4e-4
    assert 1500 < len(cells.class_indices) / mm2 < 2600
    assert cells.counts.shape == (len(cells.class_indices), len(PANEL))
    assert 40 < np.median(cells.counts.sum(axis=1)) < 110


def test_tumour_cells_lie_where_tumour_is_and_express_its_markers(xenium: Specimen, cells: Cells) -> None:
    tumour = cells.class_indices == TUMOUR
    shares = xenium.tissue.shares(*cells.centres_um.T)[:, TUMOUR]
    assert shares[tumour].mean() > 0.8
    assert shares[~tumour].mean() < 0.2
    aucs = [roc_auc_score(tumour, share_of(gene, cells.counts, PANEL)) for gene in ("ERBB2", "TOP2A", "FOXA1")]
    assert 0.99 > max(aucs) > 0.55


def test_the_panel_has_some_300_of_the_genes_with_every_marker_of_cancer() -> None:
    assert set(PANEL) < set(GENES)
    assert 280 <= len(PANEL) <= 320
    assert {"ERBB2", "KRT8", "FOXA1", "COL1A1"} <= set(PANEL)
