"""Writing the pyramid of a slide of 40,000 x 40,000 px: memory depends only on the width, and only weakly.

``pytest -m benchmarks -s tests/benchmarks/test_bench_slide.py`` prints seconds and peak memory.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.ndimage import gaussian_filter

pytestmark = pytest.mark.benchmarks

UM_PER_PX, MPP, TILE = 0.25, 0.5, 512
MAX_GIB = 2.0
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.slide.pyramid import write_pyramid
from spacrd_core.images.raster import open_raster
source, folder, mpp = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
start = time.perf_counter()
with open_raster(source) as raster:
    write_pyramid(raster, folder, um_per_px=image_um_per_px(source), mpp=mpp)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"s": time.perf_counter() - start, "GiB": peak}))
"""


def tissue() -> list[bytes]:
    """Return four JPEG tiles that repeat without a seam: pink ground, violet nuclei, noise."""
    rng = np.random.default_rng(0)
    side = 2 * TILE

    def waves(sigma: float) -> Any:
        field = gaussian_filter(rng.normal(size=(side, side)), sigma, mode="wrap")
        return field / field.std()

    ground = np.array([225, 150, 200]) + np.stack([waves(3) for _ in range(3)], axis=-1) * 12
    nuclei = (waves(8) > 1)[..., None] * np.array([110, 90, 60])
    pixels = np.clip(ground - nuclei + rng.normal(0, 3, (side, side, 3)), 0, 255).astype(np.uint8)
    parts = [pixels[y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]
    return [
        bytes(
            imagecodecs.jpeg8_encode(part.copy(), level=85, colorspace="rgb", outcolorspace="ycbcr", subsampling="422")
        )
        for part in parts
    ]


def write_ome_pyramid(path: Path, side: int) -> None:
    """Write an OME-TIFF of JPEG tiles with coarser levels as SubIFDs, without encoding the tiles again."""
    stored = tissue()
    sides = list(itertools.takewhile(lambda length: length > TILE, (side >> level for level in range(16))))
    layout: dict[str, Any] = {"dtype": "uint8", "tile": (TILE, TILE), "photometric": "ycbcr", "subsampling": (2, 1)}
    metadata = {"axes": "YXS", "PhysicalSizeX": UM_PER_PX, "PhysicalSizeY": UM_PER_PX}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as file:
        for level, length in enumerate(sides):
            tiles = _repeated(stored, -(-length // TILE))
            kind = {"subfiletype": 1} if level else {"subifds": len(sides) - 1, "metadata": metadata}
            file.write(tiles, shape=(length, length, 3), compression="jpeg", **layout, **kind)


def _repeated(stored: list[bytes], count: int) -> Iterator[bytes]:
    return (stored[row % 2 * 2 + column % 2] for row in range(count) for column in range(count))


@pytest.mark.parametrize("side", [10_000, 40_000])
def test_a_large_slide_becomes_a_pyramid_in_little_memory(
    tmp_path: Path, benchmark: BenchmarkFixture, side: int
) -> None:
    source = tmp_path / "slide.ome.tif"
    write_ome_pyramid(source, side)

    def run() -> dict[str, float]:
        command = [sys.executable, "-c", SCRIPT, str(source), str(tmp_path / "pyramid"), str(MPP)]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    measured = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info.update(measured)
    print(f"\n{side:,} x {side:,} px: {measured['s']:.0f} s, {measured['GiB']:.2f} GiB peak")  # noqa: T201 - the benchmark's output
    assert measured["GiB"] < MAX_GIB
