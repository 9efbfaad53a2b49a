"""Fusion replaces the better modality only if held-out patients show a significant gain."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from spacrd_core.model.modality_weights import fit_modality_weights

SPOTS = 200
Odds = dict[str, np.ndarray]


def patients(count: int, *, genes: float, image: float, shared: float = 0.0) -> tuple[Odds, np.ndarray, list[str]]:
    """Log odds whose distance from noise is ``genes`` and ``image``; ``shared`` noise makes the two redundant."""
    rng = np.random.default_rng(count)
    labels = np.tile([0, 1], count * SPOTS // 2)
    common, *own = rng.normal(0, 1, (3, len(labels)))
    odds = {
        name: strength * (2 * labels - 1) + shared * common + (1 - shared) * noise
        for (name, strength), noise in zip({"genes": genes, "image": image}.items(), own, strict=True)
    }
    return odds, labels, [f"P{number}" for number in range(count) for _ in range(SPOTS)]


def test_two_modalities_that_know_different_things_are_fused() -> None:
    weights = fit_modality_weights(*patients(6, genes=0.8, image=0.8))
    assert set(weights) == {"genes", "image"}
    assert sum(weights.values()) == pytest.approx(1)
    assert all(0.2 < weight < 0.8 for weight in weights.values())


def test_an_uninformative_modality_has_no_weight() -> None:
    assert fit_modality_weights(*patients(6, genes=0.0, image=0.8)) == {"image": 1.0}


def test_a_redundant_modality_has_no_weight() -> None:
    assert len(fit_modality_weights(*patients(6, genes=0.5, image=0.8, shared=1.0))) == 1


def test_one_patient_cannot_show_that_fusing_helps() -> None:
    assert len(fit_modality_weights(*patients(1, genes=0.8, image=0.8))) == 1


def test_a_gain_on_one_of_three_patients_is_no_reason_to_fuse() -> None:
    odds, labels, owners = patients(3, genes=0.0, image=0.8)
    odds["genes"][:SPOTS] += 2.0 * (2 * labels[:SPOTS] - 1)
    assert fit_modality_weights(odds, labels, owners) == {"image": 1.0}


def test_fusion_dominates_where_its_gain_is_significant() -> None:
    odds, labels, owners = patients(6, genes=0.5, image=0.6)
    fused = 2.0 * (2 * labels - 1) + np.random.default_rng(7).normal(0, 1, len(labels))
    assert fit_modality_weights({"image+genes": fused} | odds, labels, owners)["image+genes"] > 0.5


@pytest.mark.parametrize(
    ("count", "image", "alone"),
    [(2, 1.4, "image"), (2, 0.4, "genes"), (4, 1.0, "genes")],
    ids=["two patients", "two, by far", "four patients"],
)
def test_two_patients_select_genes_only_if_the_image_is_far_worse(count: int, image: float, alone: str) -> None:
    odds, labels, owners = patients(count, genes=1.5, image=image, shared=1.0)
    aucs = {name: roc_auc_score(labels, values) for name, values in odds.items()}
    assert aucs["genes"] > aucs["image"]
    assert fit_modality_weights(odds, labels, owners) == {alone: 1.0}


def test_patients_of_one_class_are_not_used() -> None:
    odds, labels, owners = patients(2, genes=0.8, image=0.1)
    labels[SPOTS:] = 1
    assert fit_modality_weights(odds, labels, owners) == {"genes": 1.0}
    assert fit_modality_weights(odds, np.ones_like(labels), owners) == {"genes": 1.0}
