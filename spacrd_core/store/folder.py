"""The folder of a store and its manifest, which is replaced as a whole under a lock."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

from filelock import FileLock, Timeout

from spacrd_core.errors import CorruptStore, MissingFile, SpacrdError, StoreBusy, StoreError, UnknownSection
from spacrd_core.opening.kinds import refuse_special, refuse_special_below
from spacrd_core.outputs import require_outside
from spacrd_core.store.manifest import GROUP_KINDS, Manifest, read_manifest, write_manifest
from spacrd_core.store.repair import repair_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord, SectionEntry

SectionNames: TypeAlias = "str | Sequence[str] | None"
MANIFEST_FILE = "spacrd.json"
LOCK_FILE = "spacrd.lock"
LOCK_TIMEOUT_S = 60.0
PARTIAL = ".partial-"  # the names of unfinished embeddings begin with it
DAMAGED_GROUP_ERRORS = (
    *(OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(MemoryError, NotImplementedError, EOFError),
)
RETIRED = ".retired"  # a file in embeddings that the manifest does not list any more


class StoreFolder:
    """A folder whose manifest lists its sections; readers use nothing that it does not list."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Return the store in a folder.

        Raises
        ------
        MissingFile
            If the folder is not a store.
        """
        store = cls(path)
        refuse_special(store._file, StoreError)
        if not store._file.is_file():
            raise MissingFile(
                f"there is no spot store at {path}",
                hint=f"check the path, or spacrd ingest {path} SECTION...",
            )
        return store

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """Return the store in a folder, which may be new or empty; nothing is written before the first section.

        Raises
        ------
        StoreError
            If the folder contains other files.
        """
        store = cls(path)
        require_outside(store.path)
        if store.path.exists() and not store._file.is_file() and not _is_interrupted_ingest(store.path):
            raise StoreError(
                f"{path} contains other files and is not a spot store", hint="choose a new folder for the store"
            )
        return store

    @property
    def entries(self) -> dict[str, SectionEntry]:
        """The manifest entries of all sections, by id."""
        return dict(self._manifest().sections)

    def entry(self, section: str) -> SectionEntry:
        """Return the manifest entry of one section."""
        entries = self.entries
        if section not in entries:
            raise UnknownSection(
                f"the store {self.path} has no section '{section}'",
                hint=f"its sections are: {', '.join(entries) or 'none'}",
            )
        return entries[section]

    def choose(self, sections: SectionNames = None, exclude: SectionNames = None) -> list[SectionEntry]:
        """Return the entries of the given sections (None: all) without the excluded ones; one name needs no list."""
        included = set(self.entries) if sections is None else {self.entry(section).id for section in _as_list(sections)}
        excluded = {self.entry(section).id for section in _as_list(exclude)}
        return [entry for key, entry in self.entries.items() if key in included - excluded]

    def update(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace the manifest by the result of ``change``, under the store's lock."""
        with self.locked() as manifest:
            changed = change(manifest)
            write_manifest(changed, self._file)
            return changed

    @contextmanager
    def locked(self) -> Iterator[Manifest]:
        """Hold the store's lock inside the block, and yield the current manifest."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK_FILE, timeout=LOCK_TIMEOUT_S):
                yield self._manifest()
        except Timeout as error:
            raise StoreBusy(
                f"another process has held the lock of {self.path} for {LOCK_TIMEOUT_S:.0f} s",
                hint="wait until it has finished",
            ) from error

    def retire(self, records: Iterable[EmbeddingRecord]) -> None:
        """Mark embeddings that the manifest does not list any more, so that they are not taken for unfinished work."""
        for record in records:
            folder = self.path / record.path
            if folder.is_dir():
                (folder / RETIRED).touch()

    @property
    def _file(self) -> Path:
        return self.path / MANIFEST_FILE

    def _manifest(self) -> Manifest:
        return read_manifest(self._file) if self._file.is_file() else Manifest()

    @contextmanager
    def _open_group(self, record: GroupRecord) -> Iterator[Path]:
        """Yield the folder of a group; an error in reading it is raised as CorruptStore."""
        folder = self._folder(record)
        refuse_special_below(folder, CorruptStore)
        try:
            yield folder
        except DAMAGED_GROUP_ERRORS as error:
            if isinstance(error, SpacrdError):
                raise
            raise CorruptStore(f"{folder} is damaged: {error}", hint=repair_hint(self.path, record)) from error

    def _folder(self, record: GroupRecord) -> Path:
        folder = self.path / record.path
        if not folder.is_dir():
            raise CorruptStore(f"{folder} is missing from the store", hint=repair_hint(self.path, record))
        return folder


def _as_list(names: SectionNames) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names or ()


def _is_interrupted_ingest(path: Path) -> bool:
    """Return whether a folder contains only the remains of an interrupted first ingestion."""
    return path.is_dir() and {file.name for file in path.iterdir()} <= {*GROUP_KINDS, LOCK_FILE, f"{MANIFEST_FILE}.new"}
