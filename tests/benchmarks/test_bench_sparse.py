"""Detection and training by the preset ``default``: sparse products against dense features, in processor time.

``pytest -m benchmarks -s tests/benchmarks/test_bench_sparse.py`` prints seconds and ratios. The dense head is in
``dense_head.py``; all else, smoothing over like tissue among it, is the same in both. Sections have about 650 genes
with counts in a spot.
"""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.dense_head import HEADS, DenseHead
from benchmarks.measure import cpu_seconds, show
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import sparse

from spacrd_core.arrays import Array
from spacrd_core.cards import HeadCard
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.copy_number.positions import human_positions
from spacrd_core.detection.predict import predict
from spacrd_core.devices import one_thread
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.plugins import Registry, load_plugins
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.read import with_evidence, with_training_evidence

pytestmark = pytest.mark.benchmarks

GENES, COUNTS, PITCH_UM = 15_000, 800, 100.0
CPU = torch.device("cpu")
LISTS = carcinoma()


def section_of(spots: int, seed: int, *, image: int = 0, patient: str = "") -> SectionData:
    """A section whose tumour is a wavy band, in which the positive gene lists are expressed more."""
    rng, names = np.random.default_rng(seed), gene_names()
    side = int(np.ceil(spots**0.5))
    column, row = np.arange(spots) % side, np.arange(spots) // side
    tumour = np.abs(row / side - 0.5 + 0.1 * np.sin(seed + 6 * column / side)) < 0.25
    return SectionData(
        id=f"S{seed}",
        patient=patient or f"P{seed}",
        platform="visium",
        identity="",
        label_source="",
        pitch_um=PITCH_UM,
        spot_ids=tuple(map(str, range(spots))),
        xy_um=np.column_stack([column, row]) * PITCH_UM,
        labels=tumour.astype(np.int64),
        expression=Expression.from_counts(counts_of(tumour, names, rng), names),
        image=rng.normal(size=(spots, image)).astype(np.float32) + tumour[:, None] if image else None,
        image_coverage=np.ones(spots) if image else None,
        recipe=None,
    )


def gene_names() -> list[str]:
    listed = [gene for genes in (LISTS.positive | LISTS.negative).values() for gene in genes]
    others = [str(name) for name in human_positions().row_of.index if not str(name).startswith("ENSG")]
    return list(dict.fromkeys(listed + others))[:GENES]


def counts_of(tumour: Array, names: list[str], rng: np.random.Generator) -> sparse.csr_matrix:
    positive = {gene for genes in LISTS.positive.values() for gene in genes}
    common = np.random.default_rng(0).lognormal(0, 1.6, len(names))
    effect = np.exp(np.random.default_rng(1).normal(0, 0.5, len(names)) + [name in positive for name in names])
    rows, columns = [], []
    for is_tumour, profile in ((False, common), (True, common * effect)):
        spots = np.flatnonzero(tumour == is_tumour)
        drawn = rng.poisson(COUNTS, len(spots))
        rows.append(np.repeat(spots, drawn))
        columns.append(np.searchsorted(np.cumsum(profile / profile.sum()), rng.random(drawn.sum()) * 0.999999))
    pairs = (np.concatenate(rows), np.concatenate(columns))
    return sparse.coo_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), (len(tumour), len(names))).tocsr()


def trained(sections: list[SectionData], heads: Registry[HeadCard], **options: object) -> CalibratedEnsemble:
    with one_thread():
        return train_calibrated(sections, TrainOptions.model_validate(options), heads=heads, device=CPU)


@pytest.mark.parametrize("spots", [20_000, 100_000])
def test_prediction_is_four_times_faster(benchmark: BenchmarkFixture, spots: int) -> None:
    training = [with_evidence(section_of(900, seed), LISTS) for seed in (1, 2)]
    detector = trained(training, load_plugins().heads, calibrate=False)
    section = detector.ensemble.prepare(with_evidence(section_of(spots, 3), LISTS))
    dense = replace(detector.ensemble, heads=tuple(map(dense_copy, detector.ensemble.heads)))
    found = {}

    def run(name: str) -> None:
        ensemble = {"dense": dense, "sparse": detector.ensemble}[name]
        with one_thread():
            found[name] = predict(ensemble, detector.calibrations, section, prior=detector.prior)

    works = (lambda: run("dense"), lambda: run("sparse"))
    seconds = benchmark.pedantic(cpu_seconds, args=(1, *works), rounds=1)
    compare(benchmark, f"prediction, {spots} spots", seconds)
    difference = found["dense"]["probability"] - found["sparse"]["probability"]
    assert float(difference.abs().max()) < 1e-4
    assert benchmark.extra_info["ratio"] > 4


def dense_copy(head: torch.nn.Module) -> DenseHead:
    copy = DenseHead(head.options, dims=head.dims)  # type: ignore[arg-type]
    copy.load_state_dict(head.state_dict())
    return copy.eval()


@pytest.mark.parametrize(("count", "spots", "image"), [(6, 1200, 0), (8, 400, 512)], ids=["genes", "both"])
def test_training_is_faster_and_has_the_same_result(
    benchmark: BenchmarkFixture, count: int, spots: int, image: int
) -> None:
    made = (section_of(spots, seed, image=image, patient=f"P{seed % 6}") for seed in range(count))
    sections = [with_training_evidence(section, LISTS) for section in made]
    found: dict[str, CalibratedEnsemble] = {}

    def run(name: str, heads: Registry[HeadCard]) -> None:
        found[name] = trained(sections, heads, prior={"use": not image})

    works = (lambda: run("dense", HEADS), lambda: run("sparse", load_plugins().heads))
    seconds = benchmark.pedantic(cpu_seconds, args=(1, *works), rounds=1)
    compare(benchmark, f"training on {count} sections", seconds)
    aucs = [{name: metrics.auc for name, metrics in one.held_out.items()} for one in found.values()]
    assert aucs[0] == pytest.approx(aucs[1], abs=1e-3)
    assert benchmark.extra_info["ratio"] > 1.5


def test_a_training_spot_takes_four_kib(benchmark: BenchmarkFixture) -> None:
    """Peak memory of training beside the counts, for every spot above the first ones."""
    peaks, sizes = [], (4, 12)
    for count in sizes:
        sections = [with_evidence(section_of(5000, seed), LISTS) for seed in range(count)]
        tracemalloc.start()
        trained(sections, load_plugins().heads, calibrate=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    kib = (peaks[1] - peaks[0]) / (5000 * (sizes[1] - sizes[0])) / 2**10
    benchmark.pedantic(lambda: None, rounds=1)
    show(benchmark, "peak of training", {"MiB": peaks[1] / 2**20, "KiB a spot": kib})
    assert kib < 4


def compare(benchmark: BenchmarkFixture, what: str, seconds: list[float]) -> None:
    dense, ours = seconds
    facts = {"dense": dense, "sparse": ours, "ratio": dense / ours}
    show(benchmark, f"{what}, seconds of processor time", facts)
