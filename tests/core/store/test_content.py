"""Checksums of what was measured: the same whatever a section is called and however its table is ordered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import MakeSection

from spacrd_core.section.section import Section
from spacrd_core.store.content import content_checksums
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

Change = Callable[[Section], Section]


def shuffled(section: Section) -> Section:
    random = np.random.default_rng(1)
    spots, genes = random.permutation(section.counts.n_obs), random.permutation(section.counts.n_vars)
    return replace(section, counts=section.counts[spots, genes].copy())


def one_count_more(section: Section) -> Section:
    counts = section.counts.copy()
    counts.X[0, 0] += 1
    return replace(section, counts=counts)


@pytest.fixture
def checksums(tmp_path: Path) -> Callable[[str, str, Section], tuple[str, ...]]:
    store = SpotStore.create(tmp_path / "store")

    def added(name: str, patient: str, section: Section) -> tuple[str, ...]:
        entry = add_section(store, section, SectionKey(name, patient, name))
        return content_checksums(entry, store.section(name))

    return added


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("change", "same"),
    [(lambda section: section, ["counts", "slide"]), (shuffled, ["counts", "slide"]), (one_count_more, ["slide"])],
    ids=["another name", "another order", "a count more"],
)
def test_the_same_measurement_has_the_same_checksums(
    change: Change,
    same: list[str],
    checksums: Callable[[str, str, Section], tuple[str, ...]],
    make_section: MakeSection,
) -> None:
    first = checksums("S1", "P1", make_section(1))
    other = checksums("S2", "P2", change(make_section(1)))
    assert [each.partition(":")[0] for each in first] == ["counts", "slide"]
    assert [each.partition(":")[0] for each in first if each in other] == same


@pytest.mark.slow
def test_other_measurements_and_sections_without_a_slide_share_none(
    checksums: Callable[[str, str, Section], tuple[str, ...]], make_section: MakeSection
) -> None:
    first = checksums("S1", "P1", make_section(1))
    assert not {*first} & {*checksums("S2", "P2", make_section(2))}
    assert [each.partition(":")[0] for each in checksums("S3", "P3", make_section(1, image=False))] == ["counts"]
