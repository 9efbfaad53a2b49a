"""Genes are dense in those spots only that are asked for, and say the same as if all were."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy import sparse

from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.genes.expression import Expression
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.options import HeadChoice

if TYPE_CHECKING:
    from conftest import MakeData

    from spacrd_core.cohort.gene_rows import GeneRows
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SIDE, GENES = 40, 3000


@pytest.fixture(params=[{}, {"gene_centring": True}, {"gene_scale": "range"}], ids=["plain", "centred", "range"])
def rows(request: pytest.FixtureRequest, make_data: MakeData) -> GeneRows:
    """Genes of which the panel's first was not measured and its second does not vary."""
    lens = Lens.fit([make_data("A", 1)], CohortOptions(panel_genes=20, **request.param))
    found = replace(lens, panel=("ABSENT", *lens.panel), panel_ids=()).gene_rows(make_data("B", 2))
    assert found is not None
    width = found.scale.width.copy()
    width[0] = 0.0
    return replace(found, scale=replace(found.scale, width=width))


def test_rows_are_those_of_the_whole(rows: GeneRows) -> None:
    whole, some = rows[:], torch.tensor([80, 3, 3])
    assert whole.shape == (81, 21)
    assert torch.equal(rows[some], whole[some])
    assert not whole[:, 0].any()


def test_it_multiplies_as_the_whole_does(rows: GeneRows) -> None:
    rng, whole = np.random.default_rng(0), rows[:].numpy()
    right, left = (rng.normal(size=(size, 4)).astype(np.float32) for size in (21, 81))
    assert rows.operator() @ right == pytest.approx(whole @ right, abs=1e-3)
    assert rows.operator().T @ left == pytest.approx(whole.T @ left, abs=1e-3)


def test_a_spot_without_a_count_on_the_panel_is_known(make_data: MakeData) -> None:
    found = Lens.fit([make_data("A", 1)], CohortOptions()).gene_rows(emptied(make_data("B", 2), 7))
    assert found is not None
    assert np.flatnonzero(~found.counted).tolist() == [7]


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
        expression=Expression.of_counts(counts.ceil(), [f"G{number}" for number in range(genes)]),
    )


def ensemble_of(section: SectionData, plugins: Plugins, choice: HeadChoice) -> Ensemble:
    few = np.arange(200)
    assert section.expression is not None
    small = replace(
        section,
        xy_um=section.xy_um[few],
        labels=section.labels[few],
        expression=replace(section.expression, values=section.expression.values[few]),
    )
    options = CohortOptions(panel_genes=GENES)
    return Ensemble.train([small], choice=choice, options=options, seeds=(1,), heads=plugins.heads, device=CPU)


@pytest.mark.parametrize("name", ["linear", "spacrd"])
def test_a_section_scores_the_same_whatever_the_batch(name: str, make_data: MakeData, plugins: Plugins) -> None:
    section = large(make_data, 1, genes=60)
    ensemble = ensemble_of(section, plugins, HeadChoice(name=name, epochs={"reconstruct": 1, "detect": 1}))
    one, many = (ensemble.score(section, batch_size=size) for size in (SIDE**2, 100))
    assert many.logits["genes"] == pytest.approx(one.logits["genes"], abs=1e-3)
    assert many.novelty == pytest.approx(one.novelty, abs=1e-3)


def test_scoring_in_batches_takes_less_memory_than_the_dense_genes(make_data: MakeData, plugins: Plugins) -> None:
    section = large(make_data, 1)
    ensemble = ensemble_of(section, plugins, HeadChoice(name="spacrd", epochs={"reconstruct": 0, "detect": 1}))
    dense = SIDE**2 * GENES * np.dtype(np.float32).itemsize

    def peak(batch_size: int) -> int:
        tracemalloc.start()
        ensemble.score(section, batch_size=batch_size)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(100) < dense < peak(SIDE**2)


@pytest.mark.parametrize("batch_size", [400, 1000])
def test_every_needed_spot_is_encoded_about_once_in_whatever_order_spots_are_stored(
    make_data: MakeData, batch_size: int
) -> None:
    section = large(make_data, 1, genes=60)
    lens = Lens.fit([section], CohortOptions())
    cohort = Cohort.to_score(section, lens, CPU, batch_size=batch_size)
    visits: list[Any] = list(cohort.by_blocks(batch_size))
    assert torch.equal(torch.sort(torch.cat([centres for centres, _ in visits])).values, torch.arange(SIDE**2))
    assert sum(len(batch.genes) for _, batch in visits) < 1.6 * SIDE**2
