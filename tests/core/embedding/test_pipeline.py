"""A shard through the pipeline: what its numbers may depend on, and what is reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torchvision import transforms

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.pipeline import CPU_BATCH_SIZE, MAX_BATCHES_AHEAD, embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import ConfigError, CorruptStore, EncoderError
from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Pyramid, write_pyramid

CPU = torch.device("cpu")
SPOTS = 50
NUMBERS = np.random.default_rng(1)
TEXTURE = np.asarray(Image.fromarray(NUMBERS.integers(0, 255, (90, 75, 3), dtype=np.uint8)).resize((600, 720)))
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Network:
    """A model of timm with random weights."""

    Options = ComponentOptions

    def __init__(self, model: str, input_px: int, **choices: Any) -> None:
        torch.manual_seed(0)
        network: Any = timm.create_model(model, num_classes=0, **choices)
        self.network = network.eval()
        self.recipe = Recipe(input_px=input_px, um_per_px=1.0, dim=network.num_features, precision="bf16")
        self.meanwhile: Callable[[int], object] = lambda _: None

    def to(self, device: torch.device) -> Network:
        self.network.to(device)
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        self.meanwhile(len(tiles))
        mean, std = (torch.tensor(three, device=tiles.device)[:, None, None] for three in (MEAN, STD))
        return self.network((tiles.float() / 255 - mean) / std)


@pytest.fixture(scope="module", params=["vit", "resnet"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param == "vit":
        return Network("vit_tiny_patch16_224", 48, img_size=48, depth=2)
    return Network("resnet18", 48)


@pytest.fixture
def vit() -> Network:
    return Network("vit_tiny_patch16_224", 48, img_size=48, depth=1)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory) -> Pyramid:
    """720 x 600 px of smooth texture at 1 um/px: 2 x 2 chunks."""
    folder = tmp_path_factory.mktemp("slide")
    write_pyramid(ArrayImage(TEXTURE), folder, um_per_px=1.0, mpp=1.0)
    return Pyramid.open(folder)


def plan_of(pyramid: Pyramid, order: np.ndarray | None = None, patch_px: int = 48) -> PatchPlan:
    centres = np.random.default_rng(3).uniform(-10, 610, (SPOTS, 2))
    chosen = centres if order is None else centres[order]
    return PatchPlan.from_centres(pyramid, chosen, patch_um=float(patch_px), patch_px=patch_px)


def embedded(plan: PatchPlan, encoder: Any, rows: range = range(SPOTS), **choices: Any) -> np.ndarray:
    settings = Settings(**{"device": "cpu", **choices})
    return embed_rows(plan, rows, encoder, "network", settings=settings, clock=Clock(CPU), report=lambda _: None)


@pytest.fixture(scope="module")
def reference(pyramid: Pyramid, network: Network) -> np.ndarray:
    return embedded(plan_of(pyramid), network)


@pytest.mark.ci_cases(1)
@given(data=st.data())
@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_spot_has_the_same_bits_whatever_the_batches_the_readers_the_shard_and_the_order(
    pyramid: Pyramid, network: Network, reference: np.ndarray, data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(SPOTS))))
    first = data.draw(st.integers(0, SPOTS - 1))
    rows = range(first, data.draw(st.integers(first + 1, SPOTS)))
    batch_size, reader_threads = data.draw(st.integers(1, 100)), data.draw(st.integers(1, 5))
    embeddings = embedded(plan_of(pyramid, order), network, rows, batch_size=batch_size, reader_threads=reader_threads)
    assert np.array_equal(embeddings, reference[order[rows.start : rows.stop]])


@pytest.mark.parametrize("count", [1, 2])
def test_a_spot_has_the_same_bits_whatever_the_number_of_threads(
    pyramid: Pyramid, network: Network, reference: np.ndarray, count: int
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        assert np.array_equal(embedded(plan_of(pyramid), network), reference)
    finally:
        torch.set_num_threads(threads)


def test_embeddings_are_those_of_torchvisions_own_transform_of_the_same_crops(pyramid: Pyramid, vit: Network) -> None:
    vit.recipe = Recipe(input_px=48, um_per_px=2.0, dim=vit.recipe.dim)
    corners = np.array([[40, 70], [300, 410], [499, 33]])  # x, y of crops of 96 whole px
    plan = PatchPlan.from_centres(Pyramid(pyramid.levels[:1]), corners + 48.0, patch_um=96.0, patch_px=48)
    steps = [transforms.Resize(48), transforms.CenterCrop(48), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    crops = [Image.fromarray(TEXTURE).crop((x, y, x + 96, y + 96)) for x, y in corners.tolist()]
    with torch.inference_mode():
        expected = vit.network(torch.stack([transforms.Compose(steps)(crop) for crop in crops]))
    embeddings = torch.from_numpy(embedded(plan, vit, range(3)))
    assert 1 - torch.nn.functional.cosine_similarity(embeddings, expected).min() < 1e-3


def test_a_recipes_own_way_to_resize_is_followed(pyramid: Pyramid, vit: Network) -> None:
    plan = plan_of(pyramid, patch_px=70)
    embeddings = []
    for resize in ("triangle", "bicubic"):
        vit.recipe = Recipe(input_px=48, um_per_px=70 / 48, dim=vit.recipe.dim, resize=resize)
        embeddings.append(embedded(plan, vit))
    triangle, bicubic = embeddings
    assert not np.array_equal(triangle, bicubic)
    assert np.allclose(triangle, bicubic, rtol=0, atol=0.2 * np.abs(triangle).max())


def test_every_patch_is_reported_once_and_none_before_it_is_done(pyramid: Pyramid, vit: Network) -> None:
    reported: list[int] = []
    settings = Settings(device="cpu")
    embed_rows(plan_of(pyramid), range(SPOTS), vit, "vit", settings=settings, clock=Clock(CPU), report=reported.append)
    assert reported == [CPU_BATCH_SIZE] * (SPOTS // CPU_BATCH_SIZE) + [SPOTS % CPU_BATCH_SIZE]


def test_no_rows_give_no_numbers(pyramid: Pyramid, vit: Network) -> None:
    assert embedded(plan_of(pyramid), vit, range(7, 7)).shape == (0, vit.recipe.dim)


def test_the_clock_has_seconds_by_step_and_reading_overlaps_the_others(pyramid: Pyramid, vit: Network) -> None:
    vit.meanwhile = lambda _: time.sleep(0.05)
    clock = Clock(CPU)
    begun = time.perf_counter()
    embed_rows(
        plan_of(pyramid), range(SPOTS), vit, "vit", settings=Settings(device="cpu"), clock=clock, report=lambda _: None
    )
    seconds = clock.seconds
    assert seconds.keys() == {"read", "wait", "resample", "encode"}
    assert seconds["encode"] >= 0.05 * -(-SPOTS // CPU_BATCH_SIZE)
    assert seconds["wait"] + seconds["resample"] + seconds["encode"] <= time.perf_counter() - begun
    assert clock.notes == []


def test_reading_goes_on_while_the_encoder_works_and_no_further_than_batches_may_wait(
    pyramid: Pyramid, vit: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[int] = []
    last_that_may_wait = threading.Event()
    real = PatchPlan._filled

    def filled(*arguments: Any) -> Any:
        windows = real(*arguments)
        cut.append(len(windows.rows))
        if len(cut) == 1 + MAX_BATCHES_AHEAD:
            last_that_may_wait.set()
        return windows

    def meanwhile(_: int) -> None:
        if not seen:
            assert last_that_may_wait.wait(20), "batches are read while the first one is encoded"
            time.sleep(0.05)
            seen.append(len(cut))

    seen: list[int] = []
    monkeypatch.setattr(PatchPlan, "_filled", filled)
    vit.meanwhile = meanwhile
    centres = np.random.default_rng(3).uniform(0, 600, (10 * CPU_BATCH_SIZE, 2))
    plan = PatchPlan.from_centres(pyramid, centres, patch_um=48.0, patch_px=48)
    embedded(plan, vit, range(len(centres)))
    assert seen[0] <= 2 + MAX_BATCHES_AHEAD
    assert sum(cut) == len(centres)


def test_short_memory_makes_smaller_passes_and_is_noted_once(pyramid: Pyramid, vit: Network) -> None:
    reference = embedded(plan_of(pyramid), vit)

    def run_short(tiles: int) -> None:
        if tiles > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    vit.meanwhile = run_short
    clock = Clock(CPU)
    embeddings = embed_rows(
        plan_of(pyramid), range(SPOTS), vit, "vit", settings=Settings(device="cpu"), clock=clock, report=lambda _: None
    )
    assert np.allclose(embeddings, reference, atol=1e-5)
    assert clock.notes == ["batches of 16 patches do not fit cpu: the batch size was 4"]


@pytest.mark.ci_cases(1)
def test_bf16_is_fp32_to_a_thousandth_of_cosine(pyramid: Pyramid, network: Network) -> None:
    full, half = (torch.from_numpy(embedded(plan_of(pyramid), network, precision=name)) for name in ("fp32", "bf16"))
    assert not torch.equal(full, half)
    assert torch.nn.functional.cosine_similarity(full, half).min() > 0.999


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.daemon}


def test_an_error_of_the_encoder_ends_the_readers_too(pyramid: Pyramid, vit: Network) -> None:
    def fail(_: int) -> None:
        raise EncoderError("no more")

    before = threads()
    vit.meanwhile = fail
    with pytest.raises(EncoderError, match="no more"):
        embedded(plan_of(pyramid), vit)
    assert threads() <= before


def test_a_damaged_slide_ends_the_run_with_the_file_and_the_remedy(tmp_path: Path, vit: Network) -> None:
    write_pyramid(ArrayImage(TEXTURE), tmp_path, um_per_px=1.0, mpp=1.0)
    plan = plan_of(Pyramid.open(tmp_path))
    shard = next(path for path in (tmp_path / "0" / "c").rglob("*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[:-100])
    before = threads()
    with pytest.raises(CorruptStore, match=f"{shard} cannot be read"):
        embedded(plan, vit)
    assert threads() <= before


def test_a_device_that_is_not_there_is_refused(pyramid: Pyramid, vit: Network) -> None:
    with pytest.raises(ConfigError, match="'cuda:99' was requested"):
        embedded(plan_of(pyramid), vit, device="cuda:99")
