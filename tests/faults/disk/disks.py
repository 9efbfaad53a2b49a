"""Disks that are full or cannot be written: each is limited for one command, and free again for the next."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE")
WRITE_BITS = 0o222
ROOMY = "size=1g,nr_inodes=1000000"  # a file system without limits would get none later


@dataclass(frozen=True)
class Limit:
    """What a command cannot do: ``amount`` is of bytes of a file, of free bytes or of free inodes."""

    kind: str
    amount: int = 0

    @property
    def options(self) -> dict[str, Any]:
        """How the driver runs the command."""
        if self.kind == "file":
            return {"file_bytes": self.amount, "room_vanishes": True}
        return {"room_vanishes": self.kind in {"bytes", "inodes"}, "without_right": self.kind == "right"}

    @property
    def needs_mount(self) -> bool:
        """Whether the file system itself is limited."""
        return self.kind in {"bytes", "inodes", "read-only"}


@dataclass
class Disk:
    """A folder whose file system can be limited; a plain folder where none can be mounted."""

    place: Path
    mounted: bool = field(default=False)

    def fill(self, ground: Path) -> None:
        """Let the folder have the contents of another one, and nothing else."""
        for path in self.place.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(ground, self.place, symlinks=True, dirs_exist_ok=True)

    @contextmanager
    def limited(self, limit: Limit) -> Iterator[None]:
        """Limit the file system inside the block, beyond what it holds."""
        if limit.kind == "right":
            with self._without_write_bits():
                yield
            return
        if not limit.needs_mount:
            yield
            return
        self._remount(self._option(limit))
        try:
            yield
        finally:
            self._remount(f"rw,{ROOMY}")

    def _option(self, limit: Limit) -> str:
        status = os.statvfs(self.place)
        if limit.kind == "bytes":
            used = (status.f_blocks - status.f_bfree) * status.f_frsize or sum(map(_pages, self.place.rglob("*")))
            return f"size={used + limit.amount // PAGE * PAGE}"
        if limit.kind == "inodes":
            return f"nr_inodes={1 + sum(1 for _ in self.place.rglob('*')) + limit.amount}"
        return "ro"

    def _remount(self, options: str) -> None:
        assert _succeeds("mount", "-o", f"remount,{options}", str(self.place)), options

    @contextmanager
    def _without_write_bits(self) -> Iterator[None]:
        paths = [self.place, *(path for path in self.place.rglob("*") if not path.is_symlink())]
        modes = {path: path.stat().st_mode for path in paths}
        for path, mode in modes.items():
            path.chmod(mode & ~WRITE_BITS)
        try:
            yield
        finally:
            for path in paths:
                if path.exists():
                    path.chmod(modes[path])


@contextmanager
def disk(place: Path) -> Iterator[Disk]:
    """Make a small file system in memory; a plain folder where that is not allowed."""
    place.mkdir()
    mounted = _succeeds("mount", "-t", "tmpfs", "-o", ROOMY, "tmpfs", str(place))
    try:
        yield Disk(place, mounted)
    finally:
        if mounted:
            _succeeds("umount", "-l", str(place))


def _succeeds(*command: str) -> bool:
    """Run a command of the system, which only root may; return whether it succeeded."""
    found = shutil.which(command[0])
    return bool(found) and subprocess.run([str(found), *command[1:]], check=False, capture_output=True).returncode == 0


def _pages(path: Path) -> int:
    return -(-path.lstat().st_size // PAGE) * PAGE if path.is_file() else 0
