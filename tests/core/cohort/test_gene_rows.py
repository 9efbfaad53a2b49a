"""Only the requested spots become dense, with the same values as if all were."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from core.conftest import MakeData
from scipy import sparse

from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.gene_rows import LazyExpression
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SIDE, GENES = 40, 3000


@pytest.fixture(params=[{}, {"gene_centring": True}, {"gene_scale": "range"}], ids=["plain", "centred", "range"])
def rows(request: pytest.FixtureRequest, make_data: MakeData) -> LazyExpression:
    """Genes of which the panel's first was not measured and its second does not vary."""
    preprocessor = Preprocessor.fit([make_data("A", 1)], CohortOptions(panel_genes=20, **request.param))
    longer = replace(preprocessor, panel=("ABSENT", *preprocessor.panel[:19]), panel_ids=())
    rows = longer.transform(make_data("B", 2)).genes
    assert rows is not None
    scale = rows.scaler.scale.copy()
    scale[0] = 0.0
    return replace(rows, scaler=replace(rows.scaler, scale=scale))


def test_rows_are_those_of_the_whole(rows: LazyExpression) -> None:
    whole, some = rows[:], torch.tensor([80, 3, 3])
    assert whole.shape == (81, 20)
    assert torch.equal(rows[some], whole[some])
    assert not whole[:, 0].any()


def test_it_multiplies_as_the_whole_does(rows: LazyExpression) -> None:
    rng, whole = np.random.default_rng(0), rows[:].numpy()
    right, left = (rng.normal(size=(size, 4)).astype(np.float32) for size in (20, 81))
    assert rows.operator() @ right == pytest.approx(whole @ right, abs=1e-3)
    assert rows.operator().T @ left == pytest.approx(whole.T @ left, abs=1e-3)


def test_its_product_with_a_matrix_is_that_of_the_whole(rows: LazyExpression) -> None:
    matrix = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(rows @ matrix, rows[:] @ matrix, atol=1e-4)


def test_genes_between_others_are_read_as_a_copy_of_them_is(rows: LazyExpression) -> None:
    order = np.random.default_rng(0).permutation(30)
    others = sparse.random(81, 30 - rows.values.shape[1], density=0.5, format="csr", random_state=0, dtype=np.float32)
    between = sparse.hstack([rows.values, others], format="csr")[:, order]
    there = np.argsort(order)[: rows.values.shape[1]]
    read = replace(rows, values=between, columns=there)
    rng = np.random.default_rng(0)
    right, left = (rng.normal(size=(size, 4)).astype(np.float32) for size in (20, 81))
    assert torch.equal(read[:], rows[:])
    assert np.array_equal(read.has_counts, rows.has_counts)
    assert read.operator() @ right == pytest.approx(rows.operator() @ right, abs=1e-4)
    assert read.operator().rmatmat(left) == pytest.approx(rows.operator().rmatmat(left), abs=1e-4)


def test_a_spot_without_a_count_on_the_panel_is_known(make_data: MakeData) -> None:
    preprocessor = Preprocessor.fit([make_data("A", 1)], CohortOptions())
    rows = preprocessor.transform(emptied(make_data("B", 2), 7)).genes
    assert rows is not None
    assert np.flatnonzero(~rows.has_counts).tolist() == [7]


def emptied(section: SectionData, spot: int) -> SectionData:
    assert section.expression is not None
    values = section.expression.values.tolil()
    values[spot] = 0
    return replace(section, expression=replace(section.expression, values=values.tocsr()))


def large(make_data: MakeData, seed: int, *, genes: int = GENES) -> SectionData:
    """A section of 1,600 spots without an image, stored in random order."""
    order = np.random.default_rng(seed).permutation(SIDE**2)
    columns, lines = order % SIDE, order // SIDE
    counts = sparse.random(SIDE**2, genes, density=0.01, format="csr", random_state=seed)
    return replace(
        make_data("D", seed, image=False),
        spot_ids=tuple(map(str, order)),
        xy_um=np.column_stack([columns, lines]) * 200.0,
        labels=(columns < SIDE // 2).astype(np.int64),
        expression=Expression.from_counts(counts.ceil(), [f"G{number}" for number in range(genes)]),
    )


def ensemble_of(section: SectionData, plugins: Plugins, choice: HeadOptions, *, factors: int = 0) -> Ensemble:
    few = np.arange(200)
    assert section.expression is not None
    small = replace(
        section,
        xy_um=section.xy_um[few],
        labels=section.labels[few],
        expression=replace(section.expression, values=section.expression.values[few]),
    )
    options = CohortOptions(panel_genes=GENES, gene_factors=factors)
    return Ensemble.train([small], head_options=choice, options=options, seeds=(1,), heads=plugins.heads, device=CPU)


PAPER = {"preset": "paper", "hidden": (8,), "width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4}
EACH_HEAD = pytest.mark.parametrize(
    ("name", "options", "factors"),
    [("linear", {}, 20), ("spacrd", {}, 20), ("spacrd", {"deep_genes": True}, 0), ("spacrd", PAPER, 20)],
    ids=["linear", "default", "deep", "paper"],
)


@pytest.mark.ci_cases(3)
@EACH_HEAD
@pytest.mark.parametrize("batch_size", [1, 7, 1025, 1599, 100_000])
def test_a_spot_scores_the_same_bits_whatever_the_batch(
    name: str, options: dict[str, Any], factors: int, batch_size: int, make_data: MakeData, plugins: Plugins
) -> None:
    section = large(make_data, 1, genes=60)
    choice = HeadOptions(name=name, options=options, epochs={"reconstruct": 1, "detect": 1})
    ensemble = ensemble_of(section, plugins, choice, factors=factors)
    prepared = ensemble.prepare(section)
    usual, other = ensemble.score(prepared), ensemble.score(prepared, batch_size=batch_size)
    assert np.array_equal(other.logits["genes"], usual.logits["genes"])
    assert np.array_equal(other.ood, usual.ood)


def test_scoring_takes_less_memory_than_the_dense_genes(make_data: MakeData, plugins: Plugins) -> None:
    section = large(make_data, 1)
    ensemble = ensemble_of(section, plugins, HeadOptions(name="spacrd"))
    tracemalloc.start()
    ensemble.score(ensemble.prepare(section))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SIDE**2 * GENES * np.dtype(np.float32).itemsize / 2


@pytest.mark.parametrize("batch_size", [400, 1000])
def test_every_needed_spot_is_encoded_about_once_in_whatever_order_spots_are_stored(
    make_data: MakeData, batch_size: int
) -> None:
    section = large(make_data, 1, genes=60)
    preprocessor = Preprocessor.fit([section], CohortOptions())
    cohort = Cohort.for_scoring(preprocessor.transform(section), CPU)
    visits: list[Any] = list(cohort.iterate_blocks(batch_size))
    assert torch.equal(torch.sort(torch.cat([centres for centres, _ in visits])).values, torch.arange(SIDE**2))
    assert sum(len(batch.genes) for _, batch in visits) < 1.6 * SIDE**2
