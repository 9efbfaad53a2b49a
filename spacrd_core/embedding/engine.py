"""Run an encoder over every spot's patch, shard by shard, resuming where it stopped."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spacrd_core.embedding.clock import Clock
from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.forward import CPU_TILES, run_encoder, tiles_of
from spacrd_core.embedding.staging import Staging
from spacrd_core.errors import UnknownSection
from spacrd_core.progress import Track, silent
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore

Array = np.ndarray[Any, Any]
Batches = Generator[None, None, None]  # one item a batch that is done


@dataclass(frozen=True)
class Embedded:
    """What became of one section.

    ``seconds`` by where they went (read, resample, encode, write); none for a section skipped.
    """

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
    EncoderError
        If the encoder runs out of memory, or gives what its recipe does not say.
    """
    entries = store.choose(tuple(sections))
    if not any(entry.slide for entry in entries):
        raise UnknownSection(f"no section of {store.path} has an image", hint="ingest with --image FILE --replace")
    engine = _Engine(store, name, encoder, device, batch_size)
    skipped = {entry.id: Embedded(entry.id, 0, {}, note) for entry in entries if (note := engine.reason_to_skip(entry))}
    todo = [entry for entry in entries if entry.id not in skipped]
    done: list[Embedded] = []
    batches = sum(-(-entry.spots // batch_size) for entry in todo)
    for _ in track(engine.run(todo, done), f"embedding by {name}", batches):
        pass
    return sorted([*skipped.values(), *done], key=lambda item: item.section)


@dataclass(frozen=True)
class _Engine:
    """An encoder at work on the sections of a store."""

    store: SpotStore
    name: str
    encoder: Encoder
    device: torch.device
    batch_size: int

    def reason_to_skip(self, entry: SectionEntry) -> str:
        if entry.slide is None:
            return "no image"
        return "done before" if self.encoder.recipe.key in entry.embeddings else ""

    def run(self, entries: Sequence[SectionEntry], done: list[Embedded]) -> Batches:
        """Embed sections one after the other, and say in ``done`` what became of each."""
        for entry in entries:
            with self.store.staging(entry, self.encoder.recipe.key) as folder:
                yield from self._run_section(entry, folder, done)

    def _run_section(self, entry: SectionEntry, folder: Path, done: list[Embedded]) -> Batches:
        clock = Clock(self.device)
        plan = self._plan(entry.id)
        staging = Staging.open(folder, encoder=self.name, recipe=self.encoder.recipe, coverage=plan.coverage)
        patches = 0
        for rows in staging.missing:
            values = np.empty((len(rows), self.encoder.recipe.dim), dtype=np.float32)
            yield from self._fill(values, plan, rows, clock)
            with clock.part("write"):
                staging.write(rows, values)
            patches += len(rows)
        self.store.publish_embedding(entry, self.name, self.encoder.recipe, folder)
        done.append(Embedded(entry.id, patches, dict(clock.seconds)))

    def _plan(self, section: str) -> PatchPlan:
        pyramid = self.store.pyramid(section)
        if pyramid is None:
            raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
        centres = self.store.section(section).obs[["x_px", "y_px"]].to_numpy() * self.store.slide_scale(section)
        recipe = self.encoder.recipe
        return PatchPlan.of(pyramid, centres, patch_um=recipe.patch_um, patch_px=recipe.input_px)

    def _fill(self, values: Array, plan: PatchPlan, rows: range, clock: Clock) -> Batches:
        """Fill in the embeddings of contiguous rows, in their order whatever the order they are read in."""
        for windows in clock.each("read", plan.cut(np.arange(rows.start, rows.stop), self.batch_size)):
            with clock.part("resample"):
                tiles = tiles_of(windows, side=plan.side, input_px=self.encoder.recipe.input_px, device=self.device)
            with clock.part("encode"):
                at_once = self.batch_size if tiles.is_cuda else CPU_TILES
                values[windows.rows - rows.start] = run_encoder(self.encoder, self.name, tiles, at_once=at_once).numpy()
            yield


def seconds_by_part(report: Sequence[Embedded]) -> dict[str, float]:
    """Return where the time of a run went."""
    parts = dict.fromkeys(part for item in report for part in item.seconds)
    return {part: sum(item.seconds.get(part, 0.0) for item in report) for part in parts}
