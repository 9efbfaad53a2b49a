"""A store's folder and its manifest: what sections there are, and where; replaced whole, under a lock."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

from filelock import FileLock, Timeout

from spacrd_core.errors import CorruptStore, MissingFile, StoreBusy, StoreError, UnknownSection
from spacrd_core.store.manifest import KINDS, Manifest, read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spacrd_core.store.manifest import GroupRecord, SectionEntry

Names: TypeAlias = "str | Sequence[str] | None"
MANIFEST = "spacrd.json"
LOCK = "spacrd.lock"
LOCK_SECONDS = 60.0


class StoreFolder:
    """A folder whose manifest says which sections it holds; readers trust nothing else."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Return the store in a folder.

        Raises
        ------
        MissingFile
            If the folder holds no store.
        """
        store = cls(path)
        if not store._file.is_file():
            raise MissingFile(
                f"there is no spot store at {path}",
                hint=f"check the path, or spacrd ingest {path} SECTION...",
            )
        return store

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """Return the store in a folder that may be new or empty; nothing is written before the first section.

        Raises
        ------
        StoreError
            If the folder holds other things.
        """
        store = cls(path)
        if store.path.exists() and not store._file.is_file() and not _begun(store.path):
            raise StoreError(f"{path} holds other files and is no spot store", hint="name a new folder for the store")
        return store

    @property
    def entries(self) -> dict[str, SectionEntry]:
        """What the manifest says of every section, by id."""
        return self._manifest().sections

    def entry(self, section: str) -> SectionEntry:
        """Return what the manifest says of one section."""
        entries = self.entries
        if section not in entries:
            raise UnknownSection(
                f"the store {self.path} has no section '{section}'", hint=f"it has: {', '.join(entries) or 'none'}"
            )
        return entries[section]

    def choose(self, sections: Names = None, exclude: Names = None) -> list[SectionEntry]:
        """Return the named sections (None: all) without the excluded ones, by id; one may be named without a list."""
        wanted = set(self.entries) if sections is None else {self.entry(section).id for section in _several(sections)}
        unwanted = {self.entry(section).id for section in _several(exclude)}
        return [entry for key, entry in self.entries.items() if key in wanted - unwanted]

    def update(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace the manifest by what ``change`` makes of it, under the store's lock."""
        with self.locked() as manifest:
            changed = change(manifest)
            write_manifest(changed, self._file)
            return changed

    @contextmanager
    def locked(self) -> Iterator[Manifest]:
        """Hold the store's lock, and give the manifest as it stands."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK, timeout=LOCK_SECONDS):
                yield self._manifest()
        except Timeout as error:
            raise StoreBusy(
                f"another process has held the lock of {self.path} for {LOCK_SECONDS:.0f} s", hint="wait for it to end"
            ) from error

    @property
    def _file(self) -> Path:
        return self.path / MANIFEST

    def _manifest(self) -> Manifest:
        return read_manifest(self._file) if self._file.is_file() else Manifest()

    @contextmanager
    def _reading(self, record: GroupRecord) -> Iterator[Path]:
        """Give a group's folder; what cannot be read of it is damage."""
        folder = self._folder(record)
        try:
            yield folder
        except (OSError, ValueError, LookupError, RuntimeError, TypeError) as error:
            raise CorruptStore(f"{folder} is damaged: {error}", hint=f"spacrd store verify {self.path}") from error

    def _folder(self, record: GroupRecord) -> Path:
        folder = self.path / record.path
        if not folder.is_dir():
            raise CorruptStore(f"{folder} is missing from the store", hint=f"spacrd store verify {self.path}")
        return folder


def _several(names: Names) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names or ()


def _begun(path: Path) -> bool:
    """Whether a folder holds nothing but what an interrupted first ingest leaves."""
    return path.is_dir() and {file.name for file in path.iterdir()} <= {*KINDS, LOCK, f"{MANIFEST}.new"}
