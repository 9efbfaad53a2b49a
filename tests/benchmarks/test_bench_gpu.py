"""What a GPU does in a second: patches of a ViT-L/16 as UNI's, whole trainings, and how busy it is meanwhile.

``pytest -m gpu -s tests/benchmarks/test_bench_gpu.py`` prints a line for each. On the CPU, small sizes show that the
code works (``-m benchmarks``); their numbers mean nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.test_bench_training import HER2ST, LARGE, Size, section_of, with_genes
from core.embedding.test_pipeline import TEXTURE, Network
from gpu import present
from torch.profiler import ProfilerActivity, profile

from spacrd_core.cards import Recipe
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.embedding.forward import run_encoder
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.timing import Clock
from spacrd_core.images.raster import ArrayImage
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import load_plugins
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

SMALL = Size(400, 2, 15)
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Work:
    """A network, and how many patches it embeds in batches of a size."""

    device: str
    model: str
    patches: int
    batch: int
    compiled: bool = False


def on_gpu(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.gpu)


def on_cpu(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.benchmarks)


@pytest.fixture
def slide(tmp_path: Path) -> Pyramid:
    write_pyramid(ArrayImage(TEXTURE.repeat(8, axis=0).repeat(8, axis=1)), tmp_path, um_per_px=0.5, mpp=0.5)
    return Pyramid.open(tmp_path)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "work",
    [
        on_cpu(Work("cpu", "vit_tiny_patch16_224", 32, 16)),
        on_gpu(Work("cuda", "vit_large_patch16_224", 2048, 256)),
        on_gpu(Work("cuda", "vit_large_patch16_224", 2048, 256, compiled=True)),
    ],
    ids=lambda work: f"{work.device}-{'compiled' if work.compiled else 'eager'}",
)
def test_patches_a_second_end_to_end_and_by_the_model_alone(slide: Pyramid, work: Work, precision: str) -> None:
    device = present(work.device)
    if (work.device, precision) == ("cpu", "bf16"):
        pytest.skip("many CPUs only emulate bf16, which takes minutes")
    encoder: Any = Network(work.model, 224).to(device)
    encoder.recipe = Recipe(input_px=224, um_per_px=0.5, dim=encoder.recipe.dim)
    centres = np.random.default_rng(3).uniform(60, 2300, (work.patches, 2))
    plan = PatchPlan.from_centres(slide, centres, patch_um=112.0, patch_px=224)
    choices: dict[str, Any] = {"device": work.device, "precision": precision, "compiled": work.compiled}
    settings, clock = Settings(**choices, batch_size=work.batch, reader_threads=8), Clock(device)
    tiles = torch.randint(0, 256, (work.batch, 3, 224, 224), dtype=torch.uint8, device=device)
    tiles = tiles.contiguous(memory_format=torch.channels_last)

    def whole() -> None:
        embed_rows(plan, range(work.patches), encoder, "vit", settings=settings, clock=clock, report=lambda _: None)

    def alone() -> None:
        for _ in range(work.patches // work.batch):
            run_encoder(encoder, "vit", tiles, precision=precision, compiled=work.compiled)

    run_encoder(encoder, "vit", tiles, precision=precision, compiled=work.compiled)  # compiles, and warms up
    rates = [work.patches / seconds(device, function) for function in (whole, alone)]
    steps = ", ".join(f"{step} {value:.2f} s" for step, value in clock.seconds.items())
    show(
        device,
        f"{work.model}, {precision}{', compiled' * work.compiled}: {rates[0]:.0f} patches/s end to end, "
        f"{rates[1]:.0f} by the model alone; busy {busy_share(device, whole):.0%} of the time; {steps}",
    )
    assert min(rates) > 0


@pytest.mark.parametrize(
    ("device_name", "size", "preset"),
    [
        *(on_cpu("cpu", SMALL, preset) for preset in ("default", "paper", "paper-clean")),
        *(on_gpu("cuda", size, preset) for size in (HER2ST, LARGE) for preset in ("default", "paper-clean")),
        on_gpu("cuda", HER2ST, "paper"),
    ],
)
def test_seconds_of_a_whole_training(device_name: str, size: Size, preset: str) -> None:
    """A training at 50,000 spots by a published preset is timed on a tenth of its epochs, and said so."""
    device, part = present(device_name), 10 if size.spots > HER2ST.spots and preset != "default" else 1
    lengths = {"align": 100 // part, "reconstruct": 50 // part, "detect": 50 // part} if preset != "default" else {}
    if size is SMALL:
        lengths = dict.fromkeys(("align", "reconstruct", "detect"), 1)
    parts = np.array_split(np.arange(size.spots), size.sections)
    sections = [with_genes(section_of(len(spots), size.side, number), len(spots)) for number, spots in enumerate(parts)]

    def train() -> None:
        Ensemble.train(
            sections,
            head_options=HeadOptions(name="spacrd", options={"preset": preset}, epochs=lengths),
            options=CohortOptions(),
            seeds=(0,),
            heads=load_plugins().heads,
            device=device,
        )

    taken = seconds(device, train)
    busy = f", busy {busy_share(device, train):.0%} of the time" if preset == "default" and size is not LARGE else ""
    epochs = "" if part == 1 else f" for a {part}th of the epochs"
    show(device, f"training by {preset}, {size.spots} spots: {taken:.1f} s{epochs}{busy}")
    assert taken > 0


def seconds(device: torch.device, work: Callable[[], None]) -> float:
    """Return how long some work takes, until the device has done it."""
    wait(device)
    started = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - started


def busy_share(device: torch.device, work: Callable[[], None]) -> float:
    """Return the share of time for which the device computes, by the profiler's sum over its kernels.

    The profiler gives the time of a kernel also to the operation that has started it; on CUDA, only kernels count.
    """
    cuda = [ProfilerActivity.CUDA] if device.type == "cuda" else []
    with profile(activities=[ProfilerActivity.CPU, *cuda], acc_events=True) as profiled:
        taken = seconds(device, work)
    averages = profiled.key_averages()
    kernels = [event for event in averages if event.device_type.name == "CUDA" and not event.is_user_annotation]
    microseconds = (
        [event.self_device_time_total for event in kernels]
        if cuda
        else [event.self_cpu_time_total for event in averages]
    )
    return float(sum(microseconds) / 1e6 / taken)


def wait(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def show(device: torch.device, sentence: str) -> None:
    """Print a result with the device's name."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"\n{name}: {sentence}")  # noqa: T201 - benchmarks print their results
