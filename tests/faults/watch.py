"""Count the changes that a process makes to the files in a folder, interfere before one, and note those elsewhere."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
FOLDER = {"os.rename": 3, "os.mkdir": 2, "os.rmdir": 1, "os.remove": 1, "os.utime": 3}  # the detail that is a folder
OTHER_CHANGES = {"os.truncate", "os.link", "os.symlink", "os.chmod"}
DEVICES, COMPILED = "/dev/", "/__pycache__/"


@dataclass
class Watch:
    """A watch over this process: it notes every change in ``folder``, and each path of a change elsewhere.

    Before its change with the number ``moment`` (0: never), it is killed, or ``vanishing`` is taken out of the folder.
    ``allowed`` are other folders that it may write to.
    """

    folder: Path
    notes: Path
    moment: int = 0
    vanishing: str = ""
    allowed: Sequence[str] = ()
    changes: int = 0

    def begin(self) -> None:
        """Begin to watch; there is no end."""
        self._stream = os.open(self.notes, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        sys.addaudithook(self._on_event)
        os.fsync = self._noted(os.fsync)  # type: ignore[assignment]

    def _on_event(self, event: str, details: tuple[Any, ...]) -> None:
        if event in FOLDER:
            self._change(_place(details[0], details[FOLDER[event]]))
        elif event in OTHER_CHANGES or (event == "open" and _is_writing(*details)):
            self._change(_place(details[0]))
        elif event == "ctypes.dlsym" and details[1] == "renameat2":  # before two folders are exchanged
            self._change(self.folder)

    def _noted(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
        def both(descriptor: Any) -> None:
            self._change(self.folder)
            function(descriptor)

        return both

    def _change(self, path: Path) -> None:
        if not path.is_relative_to(self.folder):
            elsewhere = (DEVICES, str(self.notes.parent), *self.allowed)
            if not str(path).startswith(elsewhere) and COMPILED not in str(path):
                os.write(self._stream, f"{path}\n".encode())
            return
        self.changes += 1
        if self.changes == self.moment:
            self._interfere()
        os.write(self._stream, b"change\n")

    def _interfere(self) -> None:
        if not self.vanishing:
            os.kill(os.getpid(), signal.SIGKILL)
        if (self.folder / self.vanishing).exists():
            (self.folder / self.vanishing).rename(self.folder / "tmp" / "vanished")


def _is_writing(path: Any, mode: Any, flags: Any) -> bool:
    return isinstance(flags, int) and bool(flags & WRITING) and not isinstance(path, int)


def _place(path: Any, folder: int = -1) -> Path:
    """Return the absolute path of what is changed, of which ``folder`` may be the descriptor of the folder it is in."""
    if isinstance(path, int):
        return Path(f"/proc/self/fd/{path}").readlink()
    base = Path(f"/proc/self/fd/{folder}").readlink() if folder >= 0 else Path.cwd()
    return Path(os.path.normpath(base / os.fsdecode(path)))
