"""Watch what a trial does outside its folder: programs that it starts, hosts that it asks, files that it writes."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORBIDDEN = frozenset(
    ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo")
)
CHANGES = {  # the arguments with the path, and with the folder that it is relative to
    "os.remove": (0, 1),
    "os.rename": (1, 3),
    "os.rmdir": (0, 1),
    "os.mkdir": (0, 2),
    "os.symlink": (1, 2),
    "os.link": (1, 3),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_allowed: list[str] = []  # folders, while a trial is watched
_seen: list[str] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _allowed:
        return
    if event in FORBIDDEN:
        _seen.append(f"{event} {arguments[0]!r:.80}")
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        _note(event, arguments[0])
    elif event in CHANGES:
        path, folder = CHANGES[event]
        _note(event, arguments[path], arguments[folder])


def _note(event: str, path: object, folder: object = -1) -> None:
    if isinstance(path, (str, bytes, os.PathLike)):
        beginning = str(Path(f"/proc/self/fd/{folder}").readlink()) if isinstance(folder, int) and folder >= 0 else ""
        place = os.path.realpath(os.path.join(beginning, os.fsdecode(path)))  # noqa: PTH118 - it may be bytes
        if not place.startswith((*_allowed, "/dev/", "/proc/")) and "__pycache__" not in place:
            _seen.append(f"{event} {place}")


sys.addaudithook(_hook)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Yield a list of what the block does that it must not."""
    _seen.clear()
    _allowed[:] = [os.path.realpath(folder), f"{os.path.realpath(tempfile.gettempdir())}{os.sep}tmp"]
    try:
        yield _seen
    finally:
        _allowed.clear()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
