"""Embedding compared with the encoder alone, and how fast patches are read, on the H&E of real sections.

``pytest -m benchmarks -s tests/benchmarks/test_bench_embed.py`` prints patches/s, ratios and peak memory. Measurements
that are compared alternate, and the fastest of each is taken, so that other work on the machine affects both.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.measure import fastest, show
from pytest_benchmark.fixture import BenchmarkFixture

from spacrd_cli.main import run
from spacrd_core.embedding.forward import run_encoder, tiles_from_windows
from spacrd_core.embedding.pipeline import CPU_BATCH_SIZE, embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.timing import Clock
from spacrd_core.plugins import Plugins
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Level, Pyramid
from spacrd_core.store.store import SpotStore

pytestmark = [pytest.mark.benchmarks, pytest.mark.her2st]

SECTIONS = ("C2", "C3", "C4", "C5", "C6", "B4")
CPU = torch.device("cpu")
PATCH_UM, PATCH_PX = 112.0, 224
SPOTS = 64  # of each section, for the encoders
VISIUM_PITCH_UM = 100.0


@pytest.fixture(scope="module")
def store(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> SpotStore:
    path = tmp_path_factory.mktemp("bench") / "store"
    assert run(["ingest", str(path), "--cohort", str(her2st / "cohort_fused.csv"), "-q"]) == 0
    return SpotStore.open(path)


def plan_of(pyramid: Pyramid, centres_um: Any) -> PatchPlan:
    return PatchPlan.from_centres(pyramid, centres_um, patch_um=PATCH_UM, patch_px=PATCH_PX)


def as_measured(store: SpotStore, section: str) -> PatchPlan:
    """The section's own spots on its own image: 0.69 um/px, one spot every 200 um."""
    centres = store.spots(section)[["x_px", "y_px"]].to_numpy() * store.slide_scale(section)
    return plan_of(store.pyramid(section), centres)  # type: ignore[arg-type]


def as_visium(store: SpotStore, section: str) -> PatchPlan:
    """One spot every 100 um over the tissue, on the image with an assumed 0.5 um/px: a patch has 224 px."""
    measured = as_measured(store, section)
    centres = (measured.corners + measured.side / 2)[:, ::-1] * 0.5
    low, high = centres.min(axis=0), centres.max(axis=0)
    axes = (np.arange(begin, end, VISIUM_PITCH_UM) for begin, end in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2) + 0.3
    return plan_of(Pyramid((Level(measured.level.array, 0.5),)), grid)


@pytest.mark.parametrize("where", [as_measured, as_visium])
def test_two_thousand_patches_a_second_are_read_and_cut(
    benchmark: BenchmarkFixture, store: SpotStore, where: Callable[[SpotStore, str], PatchPlan]
) -> None:
    plans = [where(store, section) for section in SECTIONS]
    patches = sum(len(plan.corners) for plan in plans)

    def cut() -> None:
        for plan in plans:
            for _ in plan.cut(np.arange(len(plan.corners)), CPU_BATCH_SIZE, reader_threads=2):
                pass

    cut()  # warm
    begun = time.process_time()
    (seconds,) = benchmark.pedantic(fastest, args=(6, cut), rounds=1)
    processor = (time.process_time() - begun) / 6
    facts = {"patches/s": patches / seconds, "ms of a core per patch": processor / patches * 1000, "patches": patches}
    show(benchmark, f"read and cut, {where.__name__}", facts)
    assert facts["patches/s"] > 2000


@pytest.mark.parametrize(("model", "rounds"), [("resnet18", 5), ("vit_small_patch16_224", 3)])
def test_the_encoder_hardly_waits(
    benchmark: BenchmarkFixture, store: SpotStore, plugins: Plugins, model: str, rounds: int
) -> None:
    name = f"timm:{model}"
    encoder = plugins.encoders.create(name, {"pretrained": False})
    clock = Clock(CPU)

    def embed(plan: PatchPlan) -> None:
        settings = Settings(device="cpu", reader_threads=2)
        embed_rows(plan, range(SPOTS), encoder, name, settings=settings, clock=clock, report=lambda _: None)

    def forward(batches: Sequence[torch.Tensor]) -> None:
        for tiles in batches:
            run_encoder(encoder, name, tiles)

    def both() -> Iterator[list[float]]:
        for section in SECTIONS:
            plan = as_measured(store, section)
            cut = plan.cut(np.arange(SPOTS), CPU_BATCH_SIZE)
            batches = [tiles_from_windows(windows, side=plan.side, input_px=PATCH_PX, device=CPU) for windows in cut]
            forward(batches[:1])
            yield fastest(rounds, partial(embed, plan), partial(forward, batches))

    times = np.array(benchmark.pedantic(list, args=(both(),), rounds=1)).sum(axis=0)
    rates = len(SECTIONS) * SPOTS / times
    facts = {"end to end/s": rates[0], "model alone/s": rates[1], "ratio": rates[0] / rates[1]}
    total = len(SECTIONS) * SPOTS * rounds
    show(benchmark, name, facts | {f"{part} ms": value / total * 1000 for part, value in clock.seconds.items()})
    assert facts["ratio"] > 0.9


MEMORY = """
import json, re, sys
from pathlib import Path
import numpy as np, torch
from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.timing import Clock
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.staging import shard_ranges
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Pyramid

class Colour:
    Options = ComponentOptions
    recipe = Recipe(input_px=224, um_per_px=0.5, dim=3)
    def to(self, device): return self
    def embed(self, tiles): return tiles.float().mean(dim=(2, 3))

slide, spots = Pyramid.open(Path(sys.argv[1])), int(sys.argv[2])
finest = slide.levels[0]
corner = np.array([finest.width, finest.height]) * finest.um_per_px
centres = np.random.default_rng(0).uniform(0, corner, (spots, 2))
plan, clock = PatchPlan.from_centres(slide, centres, patch_um=112.0, patch_px=224), Clock(torch.device("cpu"))
for rows in shard_ranges(spots):
    embed_rows(plan, rows, Colour(), "colour", settings=Settings(device="cpu"), clock=clock, report=lambda _: None)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # getrusage includes the parent's
print(json.dumps({"MiB": int(peak[1]) / 2**10, **clock.seconds}))
"""
MAX_EXTRA_MIB = 64


def test_memory_is_flat_from_a_thousand_to_fifty_thousand_spots(benchmark: BenchmarkFixture, store: SpotStore) -> None:
    slide = store.path / store.entry("C2").slide.path  # type: ignore[union-attr]

    def measure(spots: int) -> dict[str, float]:
        command = [sys.executable, "-c", MEMORY, str(slide), str(spots)]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    few = measure(1000)
    many = benchmark.pedantic(measure, args=(50_000,), rounds=1)
    show(benchmark, "peak memory", {"1,000 spots MiB": few["MiB"], "50,000 spots MiB": many["MiB"]})
    assert many["MiB"] < few["MiB"] + MAX_EXTRA_MIB
