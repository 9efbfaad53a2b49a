"""One section on its way into the store: begun once, worked on by shards, published when all of them are done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.shard_task import ShardTask, plan_section
from spacrd_core.embedding.staging import Staging
from spacrd_core.errors import EncoderError, SpacrdError, StoreError
from spacrd_core.store.locks import any_piece_held, hold, lock_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spacrd_core.cards import Recipe
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.embedding.shard_task import Outcome
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class Work:
    """What is asked of every section; ``portable`` are the options as they hold on any machine."""

    store: SpotStore
    encoder: str
    options: Mapping[str, Any]
    portable: Mapping[str, Any]
    recipe: Recipe
    settings: Settings


@dataclass(frozen=True)
class Embedded:
    """What became of one section; ``seconds`` by where they went, all workers together."""

    section: str
    patches: int
    seconds: Mapping[str, float]
    note: str = ""


@dataclass
class Job:
    """A section, and the shards of it that are to be done here; other processes may do others at the same time."""

    work: Work
    entry: SectionEntry
    shards: Sequence[range]
    patches: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    error: SpacrdError | None = None
    left: int = 0

    @property
    def folder(self) -> Path:
        """Where the embeddings grow."""
        return self.work.store.staging(self.entry, self.work.recipe.key)

    def begin(self) -> list[ShardTask]:
        """Prepare the staging, unless somebody has, and return what is to be done; nothing where that fails."""
        try:
            tasks = self._tasks()
            self.left = len(tasks)
            if not tasks:
                self._publish()
        except SpacrdError as error:
            self.error = error
            return []
        return tasks

    def hear(self, outcome: Outcome) -> None:
        """Take note of what became of a shard; publish the section after its last."""
        self.left -= 1
        self.patches += outcome.patches
        self.seconds.update(outcome.seconds)
        self.notes += [note for note in outcome.notes if note not in self.notes]
        if outcome.error:
            self.error = self.error or _explained(outcome.error, outcome)
        elif not self.left and not self.error:
            try:
                self._publish()
            except SpacrdError as error:
                self.error = error

    @property
    def result(self) -> Embedded:
        """What became of the section."""
        return Embedded(self.entry.id, self.patches, dict(self.seconds), "; ".join(self.notes))

    def _tasks(self) -> list[ShardTask]:
        if published := self._published():
            kept = Staging(published).precision
            differs = self.work.settings.precision not in {"auto", kept}
            self.notes.append(f"done before in {kept}" if kept and differs else "done before")
            return []
        plan = plan_section(self.work.store, self.entry.id, self.entry.geometry, self.work.recipe)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with hold(lock_of(self.folder)):
            self.work.store.reclaim(self.entry, self.work.recipe.key)
            staging = Staging.begin(
                self.folder,
                encoder=self.work.encoder,
                options=self.work.portable,
                recipe=self.work.recipe,
                precision=self.work.settings.precision,
                coverage=plan.coverage,
            )
        missing = staging.missing
        return [self._task(rows) for rows in self.shards if rows in missing]

    def _task(self, rows: range) -> ShardTask:
        return ShardTask(
            store=self.work.store.path.absolute(),
            section=self.entry.id,
            geometry=self.entry.geometry,
            encoder=self.work.encoder,
            options=self.work.options,
            recipe=self.work.recipe.key,
            rows=rows,
            staging=self.folder.absolute(),
            settings=self.work.settings,
        )

    def _publish(self) -> None:
        """Publish the section if all its shards are done, whoever did them, and nobody has published it."""
        with hold(lock_of(self.folder)):
            if self._published():
                return
            staging = Staging(self.folder)
            if missing := staging.missing:
                self.notes.append(f"{len(missing)} shards are left to other parts")
                return
            staging.require_whole()
            self.work.store.publish_embedding(self.entry, self.work.encoder, self.work.recipe, self.folder)
            any_piece_held(self.folder)  # clears the locks of killed processes

    def _published(self) -> Path | None:
        """Return where the embeddings of the section, as it was when the work was planned, are; None where not yet."""
        now = self.work.store.entry(self.entry.id)
        if now.geometry != self.entry.geometry:
            raise StoreError(f"section '{self.entry.id}' was replaced meanwhile", hint="run the command again")
        record = now.embeddings.get(self.work.recipe.key)
        folder = self.work.store.path / record.path if record else None
        return folder if folder and folder.is_dir() else None


def _explained(error: SpacrdError, outcome: Outcome) -> SpacrdError:
    """Return the error, with where it happened if nobody foresaw it."""
    if not outcome.again:
        return error
    rows = outcome.task.rows
    explained = EncoderError(
        f"spots {rows.start + 1} to {rows.stop} of section '{outcome.task.section}' failed again and again: {error}",
        hint=error.hint or "finished shards are kept; --debug says where it failed",
    )
    explained.__cause__ = error
    return explained
