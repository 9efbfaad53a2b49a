"""Spots that carry the gains stand out among like tissue; a gene's own expression does not count for it."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from stand_ins.aneuploid import PITCH_UM, aneuploid_expression, aneuploid_section, clone, epithelium

from spacrd_core.copy_number.comparison import Comparison
from spacrd_core.copy_number.spots import _mean_of_others, score_spots
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.section_genes import SectionGenes

PLANTED = {"1q": 2, "8q": 2, "17q": 2}


def scored(expression: Expression) -> np.ndarray:
    section = aneuploid_section(expression)
    assert section.evidence is not None
    assert section.evidence.genes is not None
    genes = SectionGenes(expression, section.xy_um, PITCH_UM)
    return score_spots(genes, Comparison.from_score(expression, section.evidence.genes))


def test_the_clone_stands_out_from_the_epithelium_without_gains() -> None:
    spots, inside = scored(aneuploid_expression(PLANTED)), epithelium()
    assert roc_auc_score(clone()[inside], spots[inside]) > 0.95
    assert (spots.mean(), spots.std()) == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.slow
def test_without_gains_the_score_has_no_direction() -> None:
    """A gene weighted by its own deviation would always follow the tissue; weighted by others it goes either way."""
    aucs = [roc_auc_score(epithelium(), scored(aneuploid_expression({}, seed=seed))) for seed in range(6)]
    assert min(aucs) < 0.5 < max(aucs)


def test_a_gene_is_weighted_by_the_others_of_its_block() -> None:
    values, block = np.array([1.0, 3.0, 5.0, 10.0, 20.0, 7.0]), np.array([0, 0, 0, 1, 1, 2])
    others = np.array([4.0, 3.0, 2.0, 20.0, 10.0, 0.0])
    assert _mean_of_others(values, block) == pytest.approx(others - others.mean())
