"""Run an encoder over every spot's patch, shard by shard, resuming where it stopped."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.staging import Staging
from spacrd_core.errors import EncoderError, UnknownSection
from spacrd_core.progress import Track, silent
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.resample import resample
from spacrd_core.store.store import SpotStore

Array = np.ndarray[Any, Any]
Clock = defaultdict[str, float]
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Embedded:
    """What became of one section: ``seconds`` by where they went (read, encode, write); none for a section skipped."""

    section: str
    patches: int
    seconds: dict[str, float]
    note: str = ""


def embed(
    store: SpotStore,
    name: str,
    encoder: Encoder,
    *,
    sections: Sequence[str] = (),
    device: torch.device,
    batch_size: int = 64,
    track: Track = silent,
) -> list[Embedded]:
    """Embed every spot of the sections (default: all) that have an image and lack embeddings of this recipe.

    Raises
    ------
    UnknownSection
        If none of the sections has an image.
    """
    entries = store.choose(tuple(sections))
    if not any(entry.slide for entry in entries):
        raise UnknownSection(f"no section of {store.path} has an image", hint="ingest with --image FILE --replace")
    report = []
    for entry in track(entries, f"embedding by {name}", len(entries)):
        if entry.slide is None:
            report.append(Embedded(entry.id, 0, {}, "no image"))
        elif encoder.recipe.key in entry.embeddings:
            report.append(Embedded(entry.id, 0, {}, "done before"))
        else:
            report.append(_embed_section(store, entry.id, name, encoder, device, batch_size))
    return report


def _embed_section(
    store: SpotStore, section: str, name: str, encoder: Encoder, device: torch.device, batch_size: int
) -> Embedded:
    plan = _plan(store, section, encoder)
    folder = store.staging("embeddings", section, encoder.recipe.key)
    staging = Staging.open(folder, encoder=name, recipe=encoder.recipe, coverage=plan.coverage)
    clock: Clock = defaultdict(float)
    patches = 0
    for rows in staging.missing:
        values = _embed_rows(plan, np.arange(rows.start, rows.stop), encoder, device, batch_size, clock)
        started = time.perf_counter()
        staging.write(rows, values)
        clock["write"] += time.perf_counter() - started
        patches += len(rows)
    store.publish_embedding(section, name, encoder.recipe, staging.finish())
    return Embedded(section, patches, dict(clock))


def _plan(store: SpotStore, section: str, encoder: Encoder) -> PatchPlan:
    pyramid = store.pyramid(section)
    if pyramid is None:
        raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
    centres = store.section(section).obs[["x_px", "y_px"]].to_numpy() * store.slide_scale(section)
    return PatchPlan.of(pyramid, centres, patch_um=encoder.recipe.patch_um, patch_px=encoder.recipe.input_px)


def _embed_rows(
    plan: PatchPlan, rows: Array, encoder: Encoder, device: torch.device, batch_size: int, clock: Clock
) -> Array:
    """Embeddings of contiguous rows, in their order whatever the order they are read in."""
    values = np.empty((len(rows), encoder.recipe.dim), dtype=np.float32)
    started = time.perf_counter()
    for windows in plan.cut(rows):
        for part in np.array_split(np.arange(len(windows.rows)), -(-len(windows.rows) // batch_size)):
            pixels = torch.from_numpy(windows.pixels[part]).to(device).movedim(-1, 1)
            offsets = torch.from_numpy(windows.offsets[part]).to(device)
            now = time.perf_counter()
            clock["read"] += now - started
            tiles = resample(pixels, offsets, side=plan.side, out_px=encoder.recipe.input_px)
            values[windows.rows[part] - rows[0]] = _encode(encoder, tiles).cpu().numpy()
            started = time.perf_counter()
            clock["encode"] += started - now
    return values


def _encode(encoder: Encoder, tiles: Tensor) -> Tensor:
    precision = PRECISIONS.get(encoder.recipe.precision)
    autocast = tiles.is_cuda and precision is not None
    try:
        with torch.inference_mode(), torch.autocast(tiles.device.type, dtype=precision, enabled=autocast):
            return encoder.embed(tiles).float()
    except torch.OutOfMemoryError as error:
        raise EncoderError(
            f"{len(tiles)} patches at once do not fit the memory of {tiles.device}", hint="halve --batch-size"
        ) from error


def seconds_by_part(report: Sequence[Embedded]) -> dict[str, float]:
    """Return where the time of a run went."""
    parts = dict.fromkeys(part for item in report for part in item.seconds)
    return {part: sum(item.seconds.get(part, 0.0) for item in report) for part in parts}
