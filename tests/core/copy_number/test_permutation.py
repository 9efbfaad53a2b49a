"""The exact mean and variance over permutations, against all permutations and against draws."""

from itertools import permutations

import numpy as np
import pytest

from spacrd_core.arrays import Array
from spacrd_core.copy_number.permutation import block_z, sum_z

SMALL = np.array([0.3, -1.2, 2.5, 0.1, -0.4, 0.9, 3.0])
SMALL_BLOCKS = np.array([0, 0, 0, 1, 1, 2, 2])


def statistic(values: Array, block: Array) -> float:
    centred = values - values.mean()
    return sum(centred[block == b].sum() ** 2 / (block == b).sum() for b in np.unique(block))


def test_z_is_that_over_all_permutations() -> None:
    every = np.array([statistic(np.array(order), SMALL_BLOCKS) for order in permutations(SMALL)])
    expected = (statistic(SMALL, SMALL_BLOCKS) - every.mean()) / every.std()
    assert block_z(SMALL, SMALL_BLOCKS) == pytest.approx(expected, rel=1e-9)


def test_blocks_of_one_gene_and_names_of_blocks_do_not_matter() -> None:
    alone = np.array([7, 7, 7, 7, 2, 2, 5])
    every = np.array([statistic(np.array(order), alone) for order in permutations(SMALL)])
    assert block_z(SMALL, alone) == pytest.approx((statistic(SMALL, alone) - every.mean()) / every.std(), rel=1e-9)


def test_z_is_steady_against_draws_of_permutations() -> None:
    rng = np.random.default_rng(0)
    block = np.repeat(np.arange(12), rng.integers(20, 60, 12))
    values = rng.standard_t(3, len(block)) + 0.4 * rng.normal(size=12)[block]
    drawn = np.array([statistic(rng.permutation(values), block) for _ in range(4000)])
    expected = (statistic(values, block) - drawn.mean()) / drawn.std()
    assert block_z(values, block) == pytest.approx(expected, rel=0.1)
    assert block_z(values, block) > 3


def test_without_neighbours_alike_z_is_that_of_chance() -> None:
    rng = np.random.default_rng(1)
    block = np.repeat(np.arange(30), 40)
    found = [block_z(rng.standard_t(3, len(block)), block) for _ in range(300)]
    assert np.mean(found) == pytest.approx(0, abs=0.2)
    assert np.std(found) == pytest.approx(1, abs=0.15)


def test_z_does_not_depend_on_the_level_and_scale_of_values() -> None:
    assert block_z(5 + 3 * SMALL, SMALL_BLOCKS) == pytest.approx(block_z(SMALL, SMALL_BLOCKS), rel=1e-9)


def test_the_sum_of_a_block_is_in_standard_deviations_of_sums_drawn_without_replacement() -> None:
    centred = SMALL - SMALL.mean()
    every = np.array([np.array(order)[:3].sum() for order in permutations(centred)])
    assert sum_z(SMALL, SMALL_BLOCKS)[0] == pytest.approx(centred[:3].sum() / every.std(), rel=1e-9)
