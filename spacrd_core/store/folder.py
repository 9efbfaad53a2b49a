"""The folder of a store and its manifest, which is replaced as a whole under a lock."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

from filelock import FileLock, Timeout

from spacrd_core.errors import CorruptStore, MissingFile, SpacrdError, StoreBusy, StoreError, UnknownSection
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.outputs import require_outside
from spacrd_core.quoting import listed, shortened
from spacrd_core.store.layout import require_layout
from spacrd_core.store.links import link_on_the_way, require_no_link
from spacrd_core.store.manifest import GROUP_KINDS, Manifest, read_manifest, write_manifest
from spacrd_core.store.repair import repair_hint
from spacrd_core.system_errors import explain, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord, SectionEntry

SectionNames: TypeAlias = "str | Sequence[str] | None"
MANIFEST_FILE = "spacrd.json"
FAILURES_FOLDER = "failures"
LOCK_FILE = "spacrd.lock"
LOCK_TIMEOUT_S = 60.0
PARTIAL = ".partial-"  # the names of unfinished embeddings begin with it
DAMAGED_GROUP_ERRORS = (  # of zarr and AnnData
    *(OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(MemoryError, NotImplementedError, EOFError),
)
RETIRED = ".retired"  # a file in embeddings that the manifest does not list any more


class StoreFolder:
    """A folder whose manifest lists its sections; readers use nothing that it does not list."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._sound_layouts: set[str] = set()  # of groups that this object has opened

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Return the store in a folder.

        Raises
        ------
        MissingFile
            If the folder is not a store.
        StoreError
            If a part of it is a link.
        """
        store = cls(path)
        store._require_no_links()
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
            If the folder contains other files, or if a part of the store is a link.
        """
        store = cls(path)
        require_outside(store.path)
        if store.path.is_symlink() and not store.path.exists():
            raise StoreError(
                f"{path} is a link to {store.path.readlink()}, which does not exist",
                hint="create that folder, or remove the link",
            )
        store._require_no_links()
        if store.path.exists() and not store._file.is_file() and not _is_interrupted_ingest(store.path):
            raise StoreError(
                f"{path} contains other files and is not a spot store", hint="choose a new folder for the store"
            )
        return store

    @property
    def entries(self) -> dict[str, SectionEntry]:
        """The manifest entries of all sections, by id."""
        return dict(self._manifest().sections)

    @property
    def sections(self) -> list[str]:
        """The ids of all sections, sorted."""
        return [*self.entries]

    def __len__(self) -> int:
        return len(self.entries)

    def __bool__(self) -> bool:
        return True  # a store without sections is a store

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.path}'): {len(self)} section{'s' if len(self) != 1 else ''}"

    def entry(self, section: str) -> SectionEntry:
        """Return the manifest entry of one section."""
        entries = self.entries
        if section not in entries:
            raise UnknownSection(
                f"the store {self.path} has no section '{shortened(section)}'",
                hint=f"its sections are: {listed(entries) or 'none'}",
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
        try:
            with explained(self.path), self._lock():
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
            if folder.is_dir() and not link_on_the_way(self.path, folder):
                with suppress(FileExistsError), explained(folder):
                    (folder / RETIRED).open("x").close()

    def begin_grace(self, records: Iterable[GroupRecord]) -> None:
        """Let the grace period of groups that are no longer listed begin now, because readers may have opened them."""
        for record in records:
            folder = self.path / record.path
            if folder.is_dir() and not link_on_the_way(self.path, folder):
                os.utime(folder)

    def inside(self, *parts: str) -> Path:
        """Return a path in the store.

        Raises
        ------
        StoreError
            If it is reached through a link, or is not in the store.
        """
        if any(part in {"", ".", ".."} or "/" in part for part in parts):
            raise StoreError(
                f"'{shortened('/'.join(parts))}' is not a path in a store", hint="choose another section id"
            )
        return require_no_link(self.path, self.path.joinpath(*parts))

    def _repair_hint(self, record: GroupRecord) -> str:
        """Return how to make a damaged or missing group anew."""
        entry = next((entry for entry in self.entries.values() if record in entry.groups), None)
        return repair_hint(self.path, record, entry)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = FileLock(self.inside(LOCK_FILE), timeout=LOCK_TIMEOUT_S)
        with explained(self.path, always=True):
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _require_no_links(self) -> None:
        """Refuse a store of which a folder or file, such as that of all slides, is a link."""
        for name in (*GROUP_KINDS, FAILURES_FOLDER, LOCK_FILE, MANIFEST_FILE):
            self.inside(name)

    @property
    def _file(self) -> Path:
        return self.inside(MANIFEST_FILE)

    def _manifest(self) -> Manifest:
        return read_manifest(self._file) if self._file.is_file() else Manifest()

    @contextmanager
    def _open_group(self, record: GroupRecord) -> Iterator[Path]:
        """Yield the folder of a group; an error in reading it is raised as CorruptStore."""
        folder = self._folder(record)
        try:
            yield folder
        except SpacrdError:
            raise
        except PermissionError as error:
            raise unreadable(folder, error) from error
        except DAMAGED_GROUP_ERRORS as error:
            if isinstance(error, OSError) and (limit := explain(error)):
                raise limit from error
            raise CorruptStore(f"{folder} is damaged: {error}", hint=self._repair_hint(record)) from error

    def _folder(self, record: GroupRecord) -> Path:
        """Return the folder of a group that has the files that were written."""
        folder = self.path / record.path
        if record.path in self._sound_layouts:
            return folder
        try:
            require_no_link(self.path, folder).stat()
            require_layout(folder, record.layout)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CorruptStore(f"{folder} is missing from the store", hint=self._repair_hint(record)) from error
        except PermissionError as error:
            raise unreadable(folder, error) from error
        except CorruptStore as error:
            raise CorruptStore(str(error), hint=self._repair_hint(record)) from error
        self._sound_layouts.add(record.path)
        return folder


def unreadable(folder: Path, error: PermissionError) -> StoreError:
    """Return the error for a group that this user may not read."""
    where = f" of {error.filename}" if error.filename and error.filename != str(folder) else ""
    return StoreError(
        f"{folder} may not be read: the permissions{where} do not allow it",
        hint="ask the owner of the store for read permission",
    )


def _as_list(names: SectionNames) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names or ()


def _is_interrupted_ingest(path: Path) -> bool:
    """Return whether a folder contains only the remains of an interrupted first ingestion."""
    return path.is_dir() and {file.name for file in path.iterdir()} <= {*GROUP_KINDS, LOCK_FILE, f"{MANIFEST_FILE}.new"}
