import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from spacrd_core.cohort.gene_factors import GeneFactors

SPOTS, GENES, FACTORS, READ = 600, 60, 3, 40


@pytest.fixture(scope="module")
def tissue() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three factors, their loadings on sixty genes, and the genes' values: without noise, then with it."""
    rng = np.random.default_rng(1)
    factors, loadings = rng.standard_normal((SPOTS, FACTORS)), rng.standard_normal((GENES, FACTORS))
    loadings *= 0.7 / np.linalg.norm(loadings, axis=1, keepdims=True)
    signal = factors @ loadings.T
    return loadings, signal, signal + rng.normal(0, np.sqrt(0.51), signal.shape)


@pytest.fixture(scope="module")
def fitted(tissue: tuple[np.ndarray, np.ndarray, np.ndarray]) -> GeneFactors:
    halves = np.array_split(tissue[2], 2)
    return GeneFactors.fit([operator(half) for half in halves], factors=FACTORS, neighbours=1)


def operator(values: np.ndarray) -> LinearOperator:
    return aslinearoperator(values.astype(np.float32))


def centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True)


def test_it_finds_the_space_that_genes_share(fitted: GeneFactors, tissue: tuple[np.ndarray, ...]) -> None:
    found, true = (np.linalg.qr(loadings)[0] for loadings in (fitted.loadings, tissue[0]))
    assert np.linalg.svd(found.T @ true)[1].min() > 0.98


def test_it_tells_noise_from_what_is_shared(fitted: GeneFactors) -> None:
    assert fitted.noise.mean() == pytest.approx(0.51, abs=0.05)


def test_missing_genes_are_inferred_from_the_measured(fitted: GeneFactors, tissue: tuple[np.ndarray, ...]) -> None:
    measured = np.arange(GENES) % 3 > 0
    read = fitted.projection(measured, genes=READ, centred=False)(tissue[2][:, measured].astype(np.float32))
    missing = ~measured[:READ]
    pairs = zip(read[:, missing].T, tissue[1][:, :READ][:, missing].T, strict=True)
    assert min(np.corrcoef(inferred, true)[0, 1] for inferred, true in pairs) > 0.85


def test_measured_genes_are_read_with_half_their_noise(fitted: GeneFactors, tissue: tuple[np.ndarray, ...]) -> None:
    read = fitted.projection(np.ones(GENES, bool), genes=READ, centred=True)(tissue[2].astype(np.float32))
    true = centred(tissue[1][:, :READ])
    error, before = (np.square(centred(values) - true).mean() for values in (read, tissue[2][:, :READ]))
    assert 0.2 < error / before < 0.5


def test_a_spot_reads_the_same_whatever_is_added_to_all_its_genes(fitted: GeneFactors) -> None:
    reading = fitted.projection(np.ones(GENES, bool), genes=READ, centred=True)
    assert np.allclose(reading(np.zeros((2, GENES), np.float32)).mean(axis=1), 0.0)


@pytest.mark.parametrize("centring", [True, False], ids=["centred", "as it is"])
@pytest.mark.parametrize("share", [3, 60])
def test_it_multiplies_matrices_as_if_it_were_dense(fitted: GeneFactors, share: int, *, centring: bool) -> None:
    rng = np.random.default_rng(0)
    measured = np.arange(GENES) % share > 0
    reading = fitted.projection(measured, genes=READ, centred=centring)
    scaled, right = rng.standard_normal((50, measured.sum())), rng.standard_normal((READ, 4))
    dense = reading(scaled)
    assert np.allclose(scaled @ reading.matmat(right), dense @ right, atol=1e-5)
    left = rng.standard_normal((50, 4))
    assert np.allclose(reading.rmatmat(scaled.T @ left), dense.T @ left, atol=1e-5)


def test_the_same_sections_give_the_same_factors(tissue: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    once, again = (GeneFactors.fit([operator(tissue[2])], factors=FACTORS, neighbours=1) for _ in range(2))
    assert np.array_equal(once.loadings, again.loadings)


@pytest.mark.parametrize("share", [1, 4], ids=["all genes", "a quarter"])
def test_genes_that_go_together_as_in_training_are_kin(
    fitted: GeneFactors, tissue: tuple[np.ndarray, np.ndarray, np.ndarray], share: int
) -> None:
    measured = np.arange(GENES) % share == 0
    found = centred(tissue[2][:, measured])
    assert fitted.agreement(operator(found), measured) > 2


def test_wrongly_named_genes_are_not_kin(
    fitted: GeneFactors, tissue: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    mixed = np.random.default_rng(3).permutation(GENES)
    assert fitted.agreement(operator(centred(tissue[2][:, mixed])), np.ones(GENES, bool)) < 2
