"""Xenium of the size of a whole slide: 700,000 cells x 500 genes, read and brought into a store.

``pytest -m benchmarks -s tests/benchmarks/test_bench_xenium.py`` prints seconds and peak memory.
"""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmarks

CELLS, GENE_EXPRESSION, DENSITY = 700_000, 500, 0.125
MOST_SECONDS, MOST_GIB = 60.0, 2.0
AT_ONCE = 10_000
READ = """
from spacrd_core.section.section import ImageInputs
from spacrd_readers.xenium.reader import Xenium
section = Xenium(Xenium.Options(unit=unit)).read(bundle, ImageInputs())
facts = {"spots": section.counts.n_obs, "counts": section.counts.X.nnz}
"""
STORE = """
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.store.store import SpotStore
ingested = ingest(SpotStore.create(store), bundle, name="T1", reader="xenium", reader_options={"unit": unit})
facts = {"spots": ingested.entry.spots}
"""
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
bundle, store, unit = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
start = time.perf_counter()
DO
facts |= {"s": time.perf_counter() - start, "GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as XOA 3 writes it, 10 um from cell to cell."""
    folder = tmp_path_factory.mktemp("slide") / "outs"
    folder.mkdir()
    (folder / "experiment.xenium").write_text(
        json.dumps({"pixel_size": 0.2125, "analysis_sw_version": "xenium-3.0.0.15"})
    )
    letters = np.frombuffer(b"abcdefghijklmnop", dtype="S1")
    random = np.random.default_rng(0)
    prefixes = random.choice(2**32, CELLS, replace=False).astype(np.uint32)
    nibbles = (prefixes[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 15
    ids = np.char.add(np.ascontiguousarray(letters[nibbles]).view("S8").ravel(), b"-1")
    write_cells(folder / "cells.parquet", ids, random)
    write_matrix(folder / "cell_feature_matrix.h5", ids, random)
    return folder


def write_cells(path: Path, ids: Any, random: np.random.Generator) -> None:
    columns = 1000
    number = np.arange(CELLS)
    place = np.column_stack([number % columns, number // columns]) * 10.0 + random.uniform(0, 10, (CELLS, 2))
    table = pd.DataFrame({"cell_id": ids.astype(str), "x_centroid": place[:, 0], "y_centroid": place[:, 1]})
    table.assign(control_probe_counts=0, unassigned_codeword_counts=1, cell_area=60.0).to_parquet(path, index=False)


def write_matrix(path: Path, ids: Any, random: np.random.Generator) -> None:
    """Write the matrix in pieces, packed as the instrument packs it."""
    packed = {"chunks": (80_000,), "compression": "gzip", "compression_opts": 1, "shuffle": True}
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        data = group.create_dataset("data", (0,), "int32", maxshape=(None,), **packed)
        indices = group.create_dataset("indices", (0,), "int64", maxshape=(None,), **packed)
        lengths = []
        for first in range(0, CELLS, AT_ONCE):
            here = random.random((min(AT_ONCE, CELLS - first), GENE_EXPRESSION), dtype=np.float32) < DENSITY
            found = np.nonzero(here)[1]
            lengths.append(here.sum(axis=1))
            for dataset, values in ((data, 1 + random.poisson(0.5, len(found))), (indices, found)):
                dataset.resize(len(dataset) + len(found), axis=0)
                dataset[-len(found) :] = values
        group["indptr"] = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        group["barcodes"], group["shape"] = ids, np.array([GENE_EXPRESSION, CELLS], dtype=np.int32)
        names = np.array([f"GENE{number}" for number in range(GENE_EXPRESSION)], dtype="S")
        features = {"id": names, "name": names, "feature_type": np.full(GENE_EXPRESSION, b"Gene Expression")}
        for name, values in {**features, "genome": np.full(GENE_EXPRESSION, b"Unknown")}.items():
            group.create_dataset(f"features/{name}", data=values)


@pytest.mark.parametrize("unit", ["spot", "cell"])
@pytest.mark.parametrize("into", ["read", "store"])
def test_a_whole_slide_is_read_within_a_minute_and_two_gib(
    benchmark: BenchmarkFixture, slide: Path, tmp_path: Path, unit: str, into: str
) -> None:
    script = SCRIPT.replace("DO", READ if into == "read" else STORE)
    command = [sys.executable, "-c", script, str(slide), str(tmp_path / "store"), unit]
    run = partial(subprocess.run, command, check=True, capture_output=True, text=True)
    facts = json.loads(benchmark.pedantic(run, rounds=1).stdout.splitlines()[-1])
    benchmark.extra_info.update(facts)
    print(f"\nxenium, {unit}, {into}: " + ", ".join(f"{name} {value:.4g}" for name, value in facts.items()))  # noqa: T201
    assert facts["s"] < MOST_SECONDS
    assert facts["GiB"] < MOST_GIB
