"""Embedding on a GPU, against the CPU: precision, compilation, memory, and two processes on one device."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from core.embedding.conftest import NewStore
from core.embedding.test_pipeline import TEXTURE, Network, embedded, plan_of
from gpu import EITHER_DEVICE, present
from small_shards import NETWORK, OPTIONS, embeddings
from torch import Tensor

from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.timing import Clock
from spacrd_core.executors.processes import Processes
from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

GPU = pytest.mark.gpu


@pytest.fixture
def slide(tmp_path: Path) -> Pyramid:
    write_pyramid(ArrayImage(TEXTURE), tmp_path / "slide", um_per_px=1.0, mpp=1.0)
    return Pyramid.open(tmp_path / "slide")


def on(device: torch.device) -> Network:
    return Network("vit_tiny_patch16_224", 48, img_size=48, depth=2).to(device)


# TF32, which cuDNN uses for the convolution that cuts a tile into patches, has the 10 bits of fp16; bf16 has 7.
@pytest.mark.parametrize(
    ("device_name", "precision", "compiled", "least"),
    [
        ("cpu", "fp32", False, 1 - 1e-6),
        ("cpu", "bf16", False, 0.999),
        pytest.param("cuda", "fp32", False, 0.99999, marks=GPU),
        pytest.param("cuda", "fp16", False, 0.9999, marks=GPU),
        pytest.param("cuda", "bf16", False, 0.999, marks=GPU),
        pytest.param("cuda", "fp32", True, 0.99999, marks=GPU),
        pytest.param("cuda", "bf16", True, 0.999, marks=GPU),
    ],
)
def test_embeddings_are_those_of_a_cpu_in_fp32(
    slide: Pyramid,
    device_name: str,
    precision: str,
    compiled: bool,  # noqa: FBT001
    least: float,
) -> None:
    plan, device = plan_of(slide), present(device_name)
    expected = torch.from_numpy(embedded(plan, on(torch.device("cpu")), precision="fp32"))
    found = embedded(plan, on(device), device=device_name, precision=precision, compiled=compiled, batch_size=16)
    assert torch.nn.functional.cosine_similarity(torch.from_numpy(found), expected).min() > least


@EITHER_DEVICE
def test_embedding_twice_gives_the_same_bits(slide: Pyramid, device_name: str) -> None:
    encoder, plan = on(present(device_name)), plan_of(slide)
    assert np.array_equal(embedded(plan, encoder, device=device_name), embedded(plan, encoder, device=device_name))


@EITHER_DEVICE
def test_a_spot_has_the_same_bits_whatever_the_shard(slide: Pyramid, device_name: str) -> None:
    encoder, plan = on(present(device_name)), plan_of(slide)
    whole = embedded(plan, encoder, range(50), device=device_name, batch_size=8)
    assert np.array_equal(embedded(plan, encoder, range(13, 30), device=device_name, batch_size=8), whole[13:30])


class Hungry(Network):
    """A network that takes a 24th of the device's memory for every tile."""

    def embed(self, tiles: Tensor) -> Tensor:
        whole = torch.cuda.mem_get_info(tiles.device)[1] if tiles.is_cuda else 2**60
        torch.empty(len(tiles) * (whole // 24), dtype=torch.uint8, device=tiles.device)
        return super().embed(tiles)


@GPU
def test_batches_that_do_not_fit_the_memory_are_halved_until_they_do(slide: Pyramid) -> None:
    device, clock = present("cuda"), Clock(torch.device("cuda"))
    hungry: Any = Hungry("vit_tiny_patch16_224", 48, img_size=48, depth=2).to(device)
    settings = Settings(device="cuda", precision="fp32", batch_size=64)
    values = embed_rows(
        plan_of(slide), range(50), hungry, "hungry", settings=settings, clock=clock, report=lambda _: None
    )
    plain = embedded(plan_of(slide), on(device), device="cuda", precision="fp32", batch_size=16)
    assert clock.notes == ["batches of 64 patches do not fit cuda: the batch size was 16"]
    assert np.array_equal(values, plain)


@GPU
def test_two_processes_on_one_gpu_leave_the_same_bytes_as_one(new_store: NewStore) -> None:
    settings = Settings(device=f"{present('cuda')}:0", batch_size=8)
    stores = [new_store(), new_store()]
    for store, executor in zip(stores, (None, Processes(2)), strict=True):
        embed(store, NETWORK, options=OPTIONS, settings=settings, executor=executor)
    assert embeddings(stores[0]) == embeddings(stores[1])
