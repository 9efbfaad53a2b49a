from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide.chunks import Chunks
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Level, Pyramid, write_pyramid
from spacrd_core.slide.resample import resample
from spacrd_core.slide.shards import Shards

TEXTURE = np.asarray(
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (75, 100, 3), dtype=np.uint8)).resize((800, 600))
)


@pytest.fixture
def pyramid(tmp_path: Path) -> Pyramid:
    """600 x 800 px of smooth texture at 1 um/px."""
    write_pyramid(ArrayImage(TEXTURE), tmp_path, um_per_px=1.0, mpp=1.0)
    return Pyramid.open(tmp_path)


def tiles(plan: PatchPlan, out_px: int) -> np.ndarray:
    """Return every patch, in the order of the spots."""
    patches = np.zeros((len(plan.corners), out_px, out_px, 3), dtype=np.uint8)
    for windows in plan.cut(np.arange(len(plan.corners))):
        pixels = torch.from_numpy(windows.pixels).movedim(-1, 1)
        cut = resample(pixels, torch.from_numpy(windows.offsets), side=plan.side, out_px=out_px)
        patches[windows.rows] = cut.movedim(1, -1).numpy()
    return patches


@pytest.mark.parametrize(("patch_um", "out_px"), [(100.0, 64), (100.0, 100), (60.0, 112)], ids=["down", "same", "up"])
def test_a_patch_equals_what_pillow_cuts_at_the_same_position(pyramid: Pyramid, patch_um: float, out_px: int) -> None:
    centres = np.array([[200.3, 150.7], [640.0, 410.25], [333.5, 299.1]])
    cut = tiles(PatchPlan.from_centres(pyramid, centres, patch_um=patch_um, patch_px=out_px), out_px)
    for (x, y), tile in zip(centres, cut, strict=True):
        half = patch_um / 2
        box = (x - half, y - half, x + half, y + half)
        expected = np.asarray(Image.fromarray(TEXTURE).resize((out_px, out_px), Image.Resampling.BILINEAR, box=box))
        difference = np.abs(tile.astype(int) - expected)
        assert difference.max() <= 2
        assert (difference > 1).mean() < 1e-3


def test_beyond_the_edge_is_white_and_coverage_is_the_fraction_inside(pyramid: Pyramid) -> None:
    plan = PatchPlan.from_centres(
        pyramid, np.array([[0.0, 0.0], [400.0, 300.0], [-500.0, 20.0]]), patch_um=100.0, patch_px=50
    )
    cut = tiles(plan, 50)
    assert (cut[0, :24, :24] == 255).all()
    assert not (cut[0, 26:, 26:] == 255).all()
    assert (cut[2] == 255).all()
    assert plan.coverage == pytest.approx([0.25, 1.0, 0.0])


def test_only_chunks_that_patches_overlap_are_decoded_and_each_once(
    pyramid: Pyramid, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[int, int]] = []
    read = Shards.chunk

    def record(shards: Shards, row: int, column: int) -> np.ndarray:
        decoded.append((row, column))
        return read(shards, row, column)

    monkeypatch.setattr(Shards, "chunk", record)
    for centres in (np.random.default_rng(2).uniform(0, 600, (400, 2)), np.array([[90.0, 90.0], [505.0, 90.0]])):
        plan = PatchPlan.from_centres(pyramid, centres, patch_um=80.0, patch_px=80)
        decoded.clear()
        tiles(plan, 80)
        ends = plan.starts + plan.window_px - 1
        corners = [
            np.column_stack(pair) for pair in product((plan.starts[:, 0], ends[:, 0]), (plan.starts[:, 1], ends[:, 1]))
        ]
        inside = np.concatenate(corners).clip(0, [599, 799])
        assert sorted(decoded) == sorted({tuple(index) for index in (inside // 512).tolist()})


def test_few_chunks_are_in_memory_for_any_number_of_spots_on_a_long_slide() -> None:
    slide = Pyramid((Level(np.broadcast_to(np.uint8(7), (3, 40 * 512, 6 * 512)), 0.5),))
    grid = np.stack(np.meshgrid(np.arange(0, 1536, 60.0), np.arange(0, 10240, 60.0)), axis=-1).reshape(-1, 2)
    for centres in (grid, grid[np.random.default_rng(0).permutation(len(grid))]):
        plan = PatchPlan.from_centres(slide, centres, patch_um=112.0, patch_px=224)
        chunks = Chunks(plan.level)
        _, needs = plan._route(np.arange(len(centres)), chunks.side)
        last = {index: number for number, indices in enumerate(needs) for index in indices}
        held: set[tuple[int, int]] = set()
        most = 0
        for number, indices in enumerate(needs):
            held |= set(indices)
            most = max(most, len(held))
            held -= {index for index in indices if last[index] == number}
        assert most <= 6 + 2, "a line of chunks along the shorter side, and the corner of the next"


def test_windows_come_in_full_batches_with_every_spot_once(pyramid: Pyramid) -> None:
    plan = PatchPlan.from_centres(
        pyramid, np.random.default_rng(2).uniform(0, 600, (47, 2)), patch_um=80.0, patch_px=80
    )
    rows = np.arange(7, 47)
    batches = list(plan.cut(rows, 16))
    assert [len(batch.rows) for batch in batches] == [16, 16, 8]
    assert all(batch.pixels.shape[1:] == (plan.window_px, plan.window_px, 3) for batch in batches)
    assert sorted(np.concatenate([batch.rows for batch in batches])) == list(rows)


def test_no_spots_have_no_windows(pyramid: Pyramid) -> None:
    plan = PatchPlan.from_centres(pyramid, np.empty((0, 2)), patch_um=80.0, patch_px=80)
    assert list(plan.cut(np.arange(0))) == []
    assert plan.coverage.shape == (0,)


def test_a_patch_is_centred_on_its_spot_between_pixels(pyramid: Pyramid) -> None:
    across, down = np.meshgrid(np.arange(250.0) + 0.5, np.arange(250.0) + 0.5)
    ramp = np.stack([across, down, down], axis=-1).astype(np.uint8)  # px i holds i, its centre lies at i + 0.5
    slide = Pyramid((Level(np.moveaxis(ramp, -1, 0), 2.0),))
    plan = PatchPlan.from_centres(slide, np.array([[201.0, 302.4]]), patch_um=70.0, patch_px=16)
    tile = tiles(plan, 16)[0].astype(float)
    assert tile[..., 0].mean() == pytest.approx(201.0 / 2 - 0.5, abs=0.1)
    assert tile[..., 1].mean() == pytest.approx(302.4 / 2 - 0.5, abs=0.1)
    assert tile[0, -1, 0] - tile[0, 0, 0] == pytest.approx(35 * 15 / 16, abs=1)


def test_a_patch_does_not_depend_on_the_batch_it_is_in(pyramid: Pyramid) -> None:
    centres = np.random.default_rng(3).uniform(100, 500, (33, 2))
    together = tiles(PatchPlan.from_centres(pyramid, centres, patch_um=90.0, patch_px=48), 48)
    alone = [
        tiles(PatchPlan.from_centres(pyramid, centre[None], patch_um=90.0, patch_px=48), 48)[0] for centre in centres
    ]
    assert (together == np.stack(alone)).all()


def test_a_patch_shows_the_same_tissue_at_every_resolution_of_the_slide(tmp_path: Path) -> None:
    centres = np.array([[310.0, 260.0], [500.0, 330.0]])
    shown = []
    for um_per_px in (1.0, 2.0):
        size = (round(800 / um_per_px), round(600 / um_per_px))
        scan = np.asarray(Image.fromarray(TEXTURE).resize(size, Image.Resampling.BOX))
        folder = tmp_path / str(um_per_px)
        write_pyramid(ArrayImage(scan), folder, um_per_px=um_per_px, mpp=0.5)
        plan = PatchPlan.from_centres(Pyramid.open(folder), centres, patch_um=160.0, patch_px=32)
        shown.append(tiles(plan, 32).astype(float))
    between_patches = np.abs(shown[0][0] - shown[0][1]).mean()
    assert np.abs(shown[0] - shown[1]).mean() < between_patches / 10


@given(
    seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), batch=st.integers(1, 50), reader_threads=st.integers(1, 4)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_are_the_px_around_their_spots_for_any_batches_threads_and_order(
    pyramid: Pyramid, seed: int, count: int, batch: int, reader_threads: int
) -> None:
    numbers = np.random.default_rng(seed)
    centres = numbers.uniform(-60, 860, (count, 2))
    plan = PatchPlan.from_centres(pyramid, centres, patch_um=70.0, patch_px=64)
    padded = np.pad(TEXTURE, ((200, 300), (200, 300), (0, 0)), constant_values=255)
    seen = []
    for windows in plan.cut(numbers.permutation(count), batch, reader_threads=reader_threads):
        for row, pixels in zip(windows.rows, windows.pixels, strict=True):
            top, left = plan.starts[row] + 200
            assert (pixels == padded[top : top + plan.window_px, left : left + plan.window_px]).all()
            seen.append(row)
    assert sorted(seen) == list(range(count))
