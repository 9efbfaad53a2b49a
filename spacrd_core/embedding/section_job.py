"""The embedding of one section: planned once, embedded by shards, published when all of them are done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.staging import Staging
from spacrd_core.errors import EncoderError, SpacrdError, StoreError
from spacrd_core.store.links import require_no_links_below
from spacrd_core.store.locks import any_piece_locked, lock_file, try_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spacrd_core.cards import Recipe
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.embedding.shard_task import Embedded, ShardTask
    from spacrd_core.executors.task import Outcome
    from spacrd_core.slide.patches import PatchPlan
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class EmbedRequest:
    """What is the same for all sections; ``portable_options`` are the encoder's options as they hold on any machine.

    ``latest`` is whether the embeddings become the ones that the encoder's name selects; with ``again``, embeddings
    that were published before are made anew.
    """

    store: SpotStore
    encoder: str
    options: Mapping[str, Any]
    portable_options: Mapping[str, Any]
    recipe: Recipe
    settings: Settings
    latest: bool = True
    again: bool = False


@dataclass(frozen=True)
class SectionReport:
    """The result of one section; ``seconds`` by step, summed over all workers."""

    section: str
    patches: int
    seconds: Mapping[str, float]
    note: str = ""


@dataclass
class SectionJob:
    """A section and those of its shards that are done here; other processes may do others at the same time."""

    request: EmbedRequest
    entry: SectionEntry
    shards: Sequence[range]
    patches: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    error: Exception | None = None
    unfinished: int = 0
    um_per_px: float = 0.0  # of the slide where patches are cut; 0 if all were embedded before

    @property
    def folder(self) -> Path:
        """The folder of the unfinished embeddings."""
        return self.request.store.staging(self.entry, self.request.recipe.key, again=self.request.again)

    def pending(self) -> list[range]:
        """Return the rows of the shards that are left to do here; nothing is written.

        Raises
        ------
        SpacrdError
            If the section cannot be embedded.
        """
        if self._published():
            return []
        plan = self._plan()
        folder = self.request.store.unfinished(self.entry, self.request.recipe.key, again=self.request.again)
        if folder.is_dir():
            require_no_links_below(folder)
        left = Staging(folder).left(**self._embeddings(), spots=len(plan.coverage))
        return [rows for rows in self.shards if rows in left]

    def start(self) -> list[ShardTask]:
        """Prepare the staging folder if necessary and return the tasks; none if that fails."""
        try:
            tasks = self._tasks()
            self.unfinished = len(tasks)
            if not tasks:
                self._publish()
        except SpacrdError as error:
            self.error = error
            return []
        return tasks

    def record(self, outcome: Outcome[ShardTask, Embedded]) -> None:
        """Add the outcome of a shard; publish the section after the last one."""
        self.unfinished -= 1
        if outcome.result:
            self.patches += outcome.result.patches
            self.seconds.update(outcome.result.seconds)
            self.notes += [note for note in outcome.result.notes if note not in self.notes]
        if outcome.error:
            self.error = self.error or _with_spots(outcome.error, outcome)
        elif not self.unfinished and not self.error:
            try:
                self._publish()
            except SpacrdError as error:
                self.error = error

    @property
    def report(self) -> SectionReport:
        """The result so far."""
        return SectionReport(self.entry.id, self.patches, dict(self.seconds), "; ".join(self.notes))

    @property
    def is_published(self) -> bool:
        """Whether the store has the embeddings; other parts of the work may not have finished theirs."""
        return self.request.recipe.key in self.request.store.entry(self.entry.id).embeddings

    def _tasks(self) -> list[ShardTask]:
        request = self.request
        if published := self._published():
            precision = Staging(published).precision
            differs = request.settings.precision not in {"auto", precision}
            self.notes.append(f"done before in {precision}" if precision and differs else "done before")
            if request.latest:
                request.store.make_latest(self.entry, request.recipe.key)
            return []
        plan = self._plan()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if self.folder.is_dir():
            require_no_links_below(self.folder)
        with try_lock(lock_file(self.folder)):
            request.store.reclaim(self.entry, request.recipe.key, again=request.again)
            staging = Staging.open_or_create(self.folder, **self._embeddings(), coverage=plan.coverage)
        missing = staging.missing
        return [self._task(rows) for rows in self.shards if rows in missing]

    def _plan(self) -> PatchPlan:
        """Return where the patches are, and note the resolution."""
        from spacrd_core.embedding.shard_task import plan_section  # noqa: PLC0415 - imports torch

        plan = plan_section(self.request.store, self.entry.id, self.entry.geometry, self.request.recipe)
        self.um_per_px = plan.level.um_per_px
        return plan

    def _embeddings(self) -> dict[str, Any]:
        """What identifies the embeddings that are asked for."""
        request = self.request
        return {
            "encoder": request.encoder,
            "options": request.portable_options,
            "recipe": request.recipe,
            "precision": request.settings.precision,
        }

    def _task(self, rows: range) -> ShardTask:
        from spacrd_core.embedding.shard_task import ShardTask  # noqa: PLC0415 - imports torch

        return ShardTask(
            store=self.request.store.path.absolute(),
            section=self.entry.id,
            geometry=self.entry.geometry,
            encoder=self.request.encoder,
            options=self.request.options,
            recipe=self.request.recipe.key,
            rows=rows,
            staging=self.folder.absolute(),
            settings=self.request.settings,
        )

    def _publish(self) -> None:
        """Publish the section if all its shards are done, by any process, and it is not published yet."""
        with try_lock(lock_file(self.folder)):
            if self._published():
                return
            staging = Staging(self.folder)
            if missing := staging.missing:
                self.notes.append(f"{len(missing)} shards are left to other parts")
                return
            staging.finalise()
            request = self.request
            with request.store.writing(self.entry.id):
                request.store.publish_embedding(
                    self.entry,
                    request.encoder,
                    request.recipe,
                    self.folder,
                    latest=request.latest,
                    again=request.again,
                )
            any_piece_locked(self.folder)  # removes the locks of killed processes
            if request.again and self.entry.predictions:
                self.notes.append("its calls are of earlier embeddings until spacrd detect runs again")

    def _published(self) -> Path | None:
        """Return the folder of the published embeddings, or None if there is none, or if they are to be made again.

        Raises
        ------
        StoreError
            If the section has been replaced since the work was planned.
        """
        entry = self.request.store.entry(self.entry.id)
        if entry.geometry != self.entry.geometry:
            raise StoreError(
                f"section '{self.entry.id}' was replaced while this command ran", hint="run the command again"
            )
        record, earlier = (each.embeddings.get(self.request.recipe.key) for each in (entry, self.entry))
        if self.request.again and record == earlier:
            return None
        folder = self.request.store.inside(*record.path.split("/")) if record else None
        return folder if folder and folder.is_dir() else None


def _with_spots(error: Exception, outcome: Outcome[ShardTask, Embedded]) -> Exception:
    """Return the error; if its reason is unknown, with the spots of the shard."""
    if not outcome.retryable:
        return error
    rows = outcome.task.rows
    located = EncoderError(
        f"spots {rows.start + 1} to {rows.stop} of section '{outcome.task.section}' failed repeatedly: {error}",
        hint=getattr(error, "hint", ""),
    )
    located.__cause__ = error
    return located
