"""How much copy number is needed to be seen, and how much measurement; with what is not there as the control.

``pytest -m slow -s tests/experiments/test_copy_number.py`` prints the tables of docs/copy_number.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from stand_ins.aneuploid import aneuploid_expression, aneuploid_section

from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.copy_number.read import read_copy_number
from spacrd_core.copy_number.result import UNCLEAR, CopyNumber
from spacrd_core.genes.expression import Expression
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.read import with_evidence
from spacrd_core.store.store import SpotStore

pytestmark = pytest.mark.slow
FOUR_ARMS = ("1q", "8q", "17q", "20q")
PURITIES, SEEDS, DRAWS = (0.2, 0.4, 0.6, 0.8, 1.0), 8, 5
SHARE_OF_GENES, SHARE_OF_COUNTS = 0.3, 0.1


def planted_z(copies: float, purity: float, arms: Sequence[str] = FOUR_ARMS) -> list[float]:
    """Z of sections in which half of the epithelium has gained arms."""
    gains = dict.fromkeys(arms, copies)
    sections = (aneuploid_section(aneuploid_expression(gains, purity=purity, seed=seed)) for seed in range(SEEDS))
    return [read_copy_number(section).section.z for section in sections]


def test_power_rises_with_purity_and_copies() -> None:
    for arms in (FOUR_ARMS, FOUR_ARMS[:1]):
        for copies in (1, 2):
            curve = [planted_z(copies, purity, arms) for purity in PURITIES]
            cells = " ".join(f"{np.mean(z):5.1f} ({min(z):.1f} to {max(z):.1f})" for z in curve)
            print(f"\n{len(arms)} arms, {copies} further copies, purity 20 to 100 %: {cells}")  # noqa: T201 - the table
            means = [np.mean(z) for z in curve]
            assert means == sorted(means)
            assert means[-1] > 2.0


def test_epithelium_without_tumour_is_never_evidence() -> None:
    z = [read_copy_number(aneuploid_section(aneuploid_expression({}, seed=seed))).section.z for seed in range(60)]
    print(f"\nno tumour, 60 sections: {np.mean(z):.2f}, at most {max(z):.2f}")  # noqa: T201 - the table
    assert max(z) < UNCLEAR


def with_fewer_genes(section: SectionData, seed: int) -> Expression:
    expression = whole(section)
    genes = len(expression.symbols)
    kept = np.sort(np.random.default_rng(seed).choice(genes, round(SHARE_OF_GENES * genes), replace=False))
    ids = tuple(expression.gene_ids[gene] for gene in kept) if expression.gene_ids else ()
    symbols = tuple(expression.symbols[gene] for gene in kept)
    return replace(expression, values=expression.values[:, kept], symbols=symbols, gene_ids=ids)


def with_fewer_counts(section: SectionData, seed: int) -> Expression:
    expression = whole(section)
    counts = expression.values.expm1().tocoo()
    numbers = np.rint(counts.data * expression.totals[counts.row] / 1e4).astype(int)
    thinned = np.random.default_rng(seed).binomial(numbers, SHARE_OF_COUNTS)
    matrix = sparse.csr_matrix((thinned.astype(np.float32), (counts.row, counts.col)), shape=counts.shape)
    return Expression.from_counts(matrix, expression.symbols, expression.gene_ids)


def found(section: SectionData, expression: Expression) -> CopyNumber:
    """What is found if a section had been measured like this; what it says of itself is read anew."""
    return read_copy_number(with_evidence(replace(section, expression=expression), carcinoma())).section


def shown(result: CopyNumber) -> str:
    return "unknown" if np.isnan(result.z) else f"{result.z:.1f}"


def whole(section: SectionData) -> Expression:
    assert section.expression is not None
    return section.expression


@pytest.fixture(scope="module")
def sections(
    her2st: Path, other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory
) -> list[SectionData]:
    store = SpotStore.create(tmp_path_factory.mktemp("copies") / "store")
    breasts = [her2st / "ST-cnts" / f"{name}.tsv.gz" for name in ("A1", "B1", "C1", "D1", "E1", "G2")]
    others = sorted(path for path in other.glob("*/ST-cnts/*.tsv.gz"))
    for path in [*breasts, *others, other / "crc16_visium" / "outs"]:
        ingest(store, path, no_image=True, plugins=plugins)
    return load_sections(store, list(store.entries.values()))


@pytest.mark.her2st
def test_fewer_genes_and_counts_lose_power_and_raise_no_alarm(sections: list[SectionData]) -> None:
    for section in sections:
        genes = [found(section, with_fewer_genes(section, seed)) for seed in range(DRAWS)]
        counts = [found(section, with_fewer_counts(section, seed)) for seed in range(DRAWS)]
        print(f"\n{section.id}: whole {shown(found(section, whole(section)))}")  # noqa: T201 - the table
        print("  30 % of the genes", *map(shown, genes), " a tenth of the counts", *map(shown, counts))  # noqa: T201
        if section.id.startswith("CN"):
            assert {result.verdict for result in (*genes, *counts)} <= {"no evidence", "unknown"}
