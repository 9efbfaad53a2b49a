"""Files of results, ST counts and the list of a store: ratios of CPU time to the plain way, in one run.

``pytest -m benchmarks -s tests/benchmarks/test_bench_files.py`` prints seconds and ratios.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from benchmarks.measure import show
from benchmarks.plain_overlay import write_plain_overlay
from pytest_benchmark.fixture import BenchmarkFixture

from spacrd_core.results.files.overlay_png import write_overlay
from spacrd_core.results.result import SectionResult
from spacrd_core.store.folder import MANIFEST_FILE
from spacrd_core.store.manifest import Manifest, write_manifest
from spacrd_core.tables import read_text, split_header
from spacrd_readers.st.table import _read_frame, read_table

pytestmark = pytest.mark.benchmarks

ROUNDS = 3
SPOTS, GENES = 350, 15_000
MIN_OVERLAY_RATIO, MIN_COUNTS_RATIO, MIN_LIST_RATIO = 2.5, 2.1, 3.0
LIST = "import sys; from spacrd_cli.main import run; run(['store', 'ls', sys.argv[1]])"
LOADED = f"import spacrd_core.store.store; {LIST}"


def least_cpu(clock: Callable[[], float], *works: Callable[[], object]) -> list[float]:
    """Return the least CPU seconds of each work; they run in turns."""
    seconds = np.full((ROUNDS, len(works)), np.inf)
    for turn in range(ROUNDS):
        for index, work in enumerate(works):
            started = clock()
            work()
            seconds[turn, index] = clock() - started
    return seconds.min(axis=0).tolist()


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def visium() -> SectionResult:
    """Return a section of 4,900 spots on a slide of noise, the hardest picture to compress."""
    rng = np.random.default_rng(0)
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(70), np.arange(70)))
    points = np.column_stack([100.0 * column, 100.0 * row])
    ids = pd.Index([f"s{number}" for number in range(len(points))])
    obs = pd.DataFrame({"x_um": points[:, 0], "y_um": points[:, 1], "x_px": points[:, 0], "y_px": points[:, 1]}, ids)
    probability = 1 / (1 + np.exp((np.hypot(*(points - 3500).T) - 2000) / 300))
    label = np.where(abs(probability - 0.5) < 0.05, "uncertain", np.where(probability > 0.5, "cancer", "normal"))
    spots = pd.DataFrame({"probability": probability, "label": label, "ood": 0.1}, ids)
    return SectionResult(
        section_id="S1",
        patient="P1",
        platform="visium",
        adata=AnnData(obs=obs),
        spots=spots,
        um_per_px=1.0,
        spot_um=55.0,
        spot_shape="disc",
        pitch_um=100.0,
        threshold=0.5,
        thumbnail=rng.integers(120, 255, (2000, 2000, 3), dtype=np.uint8),
        thumbnail_um_per_px=3.6,
        thumbnail_corner_um=(-150.0, -150.0),
        slide_um_per_full_px=1.0,
    )


def test_the_overlay_takes_less_than_half_the_time_of_matplotlib(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    result = visium()
    assert len(result.regions) == 1
    benchmark.pedantic(write_overlay, (result, tmp_path / "a.png"), rounds=1)
    seconds, plain = least_cpu(
        time.process_time,
        lambda: write_overlay(result, tmp_path / "a.png"),
        lambda: write_plain_overlay(result, tmp_path / "b.png"),
    )
    show(benchmark, "overlay", {"s": seconds, "s of matplotlib": plain, "ratio": plain / seconds})
    assert plain / seconds > MIN_OVERLAY_RATIO


def test_st_counts_are_read_twice_as_fast_as_a_column_per_gene(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(0.3, (SPOTS, GENES))
    file, names = tmp_path / "S1.tsv", [f"{number}x7" for number in range(SPOTS)]
    pd.DataFrame(counts, names, [f"G{number}" for number in range(GENES)]).to_csv(file, sep="\t")

    def by_column() -> None:
        _read_frame(*split_header(read_text(file, "counts table"), "\t"), "\t", file)

    assert (benchmark.pedantic(read_table, (file,), rounds=1).values == counts).all()  # noqa: PD011 - a table's field
    seconds, plain = least_cpu(time.process_time, lambda: read_table(file), by_column)
    show(benchmark, "ST counts", {"s": seconds, "s by column": plain, "ratio": plain / seconds})
    assert plain / seconds > MIN_COUNTS_RATIO


def test_the_list_of_a_store_takes_a_third_of_the_time_with_anndata(
    benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    write_manifest(Manifest(), tmp_path / MANIFEST_FILE)

    def listed(code: str) -> None:
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)

    benchmark.pedantic(listed, (LIST,), rounds=1)
    seconds, plain = least_cpu(children_cpu, lambda: listed(LIST), lambda: listed(LOADED))
    show(benchmark, "store ls", {"s": seconds, "s with anndata": plain, "ratio": plain / seconds})
    assert plain / seconds > MIN_LIST_RATIO
