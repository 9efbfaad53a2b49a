"""Visium HD of the size of a whole slide: 700,000 bins of 8 um x 18,000 genes, and the positions of 11 million of 2 um.

``pytest -m benchmarks -s tests/benchmarks/test_bench_visium_hd.py`` prints seconds and peak memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmarks

BINS, SIDE, GENES, PER_BIN = 700_000, 838, 18_000, 180  # 1 % of the genes in every bin
SIDE_2UM = 3350
MOST_SECONDS, MOST_GIB = 90.0, 3.0
MOST_GIB_OF_POSITIONS = 0.5
AT_ONCE = 20_000
SCRIPTS = {
    "read": """
from spacrd_core.section import Given
from spacrd_readers.visium_hd import VisiumHd
section = VisiumHd(VisiumHd.Options()).read(path, Given())
facts = {"spots": section.counts.n_obs, "counts": section.counts.X.nnz}
""",
    "store": """
from spacrd_core.ingest import IngestRequest, ingest
from spacrd_core.plugins import load_plugins
from spacrd_core.store.store import SpotStore
request = IngestRequest(path, name="T1")
facts = {"spots": ingest(SpotStore.create(store), request, load_plugins()).entry.spots}
""",
    "positions": """
from spacrd_readers._hd_array import read_array
facts = {"bins in tissue": int(read_array(path).in_tissue.sum())}
""",
}
AROUND = """
import json, re, sys, time
from pathlib import Path
path, store = Path(sys.argv[1]), Path(sys.argv[2])
start = time.perf_counter()
DO
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # getrusage counts the parent's, too
facts |= {"s": time.perf_counter() - start, "GiB": int(peak[1]) / 2**20}
print(json.dumps(facts))
"""


def measured(benchmark: BenchmarkFixture, what: str, path: Path, store: Path) -> dict[str, float]:
    """Run one of the scripts in a process of its own and return what it says."""
    command = [sys.executable, "-c", AROUND.replace("DO", SCRIPTS[what]), str(path), str(store)]
    run = partial(subprocess.run, command, check=True, capture_output=True, text=True)
    facts: dict[str, float] = json.loads(benchmark.pedantic(run, rounds=1).stdout.splitlines()[-1])
    benchmark.extra_info.update(facts)
    print(f"\nvisium_hd, {what}: " + ", ".join(f"{name} {value:.4g}" for name, value in facts.items()))  # noqa: T201
    return facts


@pytest.mark.parametrize("what", ["read", "store"])
def test_a_whole_slide_of_8_um_is_read_within_90_s_and_3_gib(
    benchmark: BenchmarkFixture, slide: Path, tmp_path: Path, what: str
) -> None:
    facts = measured(benchmark, what, slide, tmp_path / "store")
    assert facts["s"] < MOST_SECONDS
    assert facts["GiB"] < MOST_GIB


@pytest.mark.parametrize("together", [2**20, 2**24], ids=["many row groups", "one row group"])
def test_the_positions_of_eleven_million_bins_are_read_in_half_a_gib(
    benchmark: BenchmarkFixture, tmp_path: Path, together: int
) -> None:
    path = write_positions(tmp_path / "tissue_positions.parquet", 2, SIDE_2UM, together)
    assert measured(benchmark, "positions", path, tmp_path)["GiB"] < MOST_GIB_OF_POSITIONS


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose matrix lists its bins in no order, as Space Ranger does."""
    folder = tmp_path_factory.mktemp("slide")
    level = folder / "outs" / "binned_outputs" / "square_008um"
    write_positions(level / "spatial" / "tissue_positions.parquet", 8, SIDE, 2**20)
    write_matrix(level / "filtered_feature_bc_matrix.h5")
    facts = {"bin_size_um": 8.0, "microns_per_pixel": 0.2738, "spot_diameter_fullres": 8 / 0.2738}
    (level / "spatial" / "scalefactors_json.json").write_text(json.dumps(facts))
    return folder


def names_of(bin_um: int, rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.bytes_]:
    """Return the barcodes of bins."""
    names = np.full(len(rows), f"s_{bin_um:03d}um_00000_00000-1".encode())
    letters = names.view(np.uint8).reshape(len(names), -1)
    for place in range(5):
        letters[:, 12 - place] += (rows // 10**place % 10).astype(np.uint8)
        letters[:, 18 - place] += (columns // 10**place % 10).astype(np.uint8)
    return names


def write_positions(path: Path, bin_um: int, side: int, together: int) -> Path:
    """Write all bins of an array that is turned against its image; those of a disc are in tissue, or of 8 um all."""
    rows, columns = (axis.ravel().astype(np.int32) for axis in np.indices((side, side)))
    step = bin_um / 0.2738
    table = pa.table(
        {
            "barcode": pa.array(names_of(bin_um, rows, columns)).cast(pa.string()),
            "in_tissue": (bin_um == 8) | (np.hypot(rows - side / 2, columns - side / 2) < side / 2),
            "array_row": rows,
            "array_col": columns,
            "pxl_row_in_fullres": 500 + step * (0.9999 * rows + 0.015 * columns),
            "pxl_col_in_fullres": 30_000 + step * (0.015 * rows - 0.9999 * columns),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=together)
    return path


def write_matrix(path: Path) -> None:
    """Write the matrix in pieces, each bin with a gene of every hundred."""
    random = np.random.default_rng(0)
    places = random.permutation(SIDE * SIDE)[:BINS]
    packed = {"shape": (BINS * PER_BIN,), "chunks": (80_000,), "compression": "gzip", "compression_opts": 1}
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        data, indices = (group.create_dataset(n, dtype=t, **packed) for n, t in (("data", "i4"), ("indices", "i8")))
        for first in range(0, BINS, AT_ONCE):
            bins = min(AT_ONCE, BINS - first)
            span = slice(first * PER_BIN, (first + bins) * PER_BIN)
            of_each = GENES // PER_BIN
            genes = random.integers(0, of_each, (bins, PER_BIN)) + np.arange(PER_BIN) * of_each
            indices[span], data[span] = genes.ravel(), 1 + (random.random(genes.size) < 0.1)
        group["indptr"] = np.arange(BINS + 1, dtype=np.int64) * PER_BIN
        group["barcodes"] = names_of(8, places // SIDE, places % SIDE)
        group["shape"] = np.array([GENES, BINS], dtype=np.int32)
        ids = np.array([f"ENSG{number:011d}" for number in range(GENES)], dtype="S")
        names = np.array([f"GENE{number}" for number in range(GENES)], dtype="S")
        features = {"id": ids, "name": names, "feature_type": np.full(GENES, b"Gene Expression")}
        for name, values in {**features, "genome": np.full(GENES, b"GRCh38")}.items():
            group.create_dataset(f"features/{name}", data=values)
