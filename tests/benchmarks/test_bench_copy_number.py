"""Copy number of a whole Visium section: 5,000 spots x 18,000 genes, 13.5 million counts.

``pytest -m benchmarks -s tests/benchmarks/test_bench_copy_number.py`` prints seconds, peak memory, and the ratio to the
time of the prior on the same section.
"""

import tracemalloc

import numpy as np
import pytest
from benchmarks.measure import fastest, show
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import sparse

from spacrd_core.copy_number.comparison import Comparison, find_copy_number
from spacrd_core.copy_number.positions import human_positions
from spacrd_core.copy_number.spots import score_spots
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.score import score_genes
from spacrd_core.prior.section_genes import SectionGenes

pytestmark = pytest.mark.benchmarks

SPOTS, GENES, ROW, PITCH_UM = 5000, 18_000, 71, 100.0
MOST_SECONDS, MOST_GIB, MOST_RATIO = 2.0, 1.0, 2.0


def visium() -> tuple[Expression, np.ndarray]:
    """A section in which every seventh gene of a spot is counted, and the positions of its spots in um."""
    rng = np.random.default_rng(0)
    names = [str(name) for name in human_positions().row_of.index if not str(name).startswith("ENSG")][:GENES]
    counts = sparse.random(SPOTS, GENES, density=0.15, random_state=0, format="csr", dtype=np.float32)
    counts.data = rng.integers(1, 6, counts.nnz).astype(np.float32)
    column, row = np.arange(SPOTS) % ROW, np.arange(SPOTS) // ROW
    return Expression.from_counts(counts, names), np.column_stack([PITCH_UM * (column + row % 2 / 2), 87 * row])


def test_a_whole_section_takes_two_seconds_and_little_memory(benchmark: BenchmarkFixture) -> None:
    expression, xy_um = visium()
    score = xy_um[:, 0]

    def ours() -> None:
        comparison = Comparison.from_score(expression, score)
        find_copy_number(expression, comparison)
        score_spots(SectionGenes(expression, xy_um, PITCH_UM), comparison)

    benchmark.pedantic(ours, rounds=1)
    seconds, prior = fastest(3, ours, lambda: score_genes(SectionGenes(expression, xy_um, PITCH_UM), carcinoma()))
    tracemalloc.start()
    ours()
    gib = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    show(benchmark, "copy number", {"s": seconds, "s of the prior": prior, "ratio": seconds / prior, "GiB": gib})
    assert seconds < MOST_SECONDS
    assert seconds < MOST_RATIO * prior
    assert gib < MOST_GIB
