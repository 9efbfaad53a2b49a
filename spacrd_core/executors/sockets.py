"""The temporary folder that multiprocessing puts its sockets into: after a kill, the next command removes it."""

from __future__ import annotations

from contextlib import ExitStack
from multiprocessing import process, util
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from spacrd_core.staging import staging

LAST = -100  # multiprocessing removes its own folder with this priority


def use_removable_folder() -> None:
    """Let multiprocessing use a folder that is told from abandoned ones by its lock, unless it has one already."""
    settings: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001
    if "tempdir" not in settings:
        folder = ExitStack()
        settings["tempdir"] = str(folder.enter_context(staging(Path(gettempdir()))))
        util.Finalize(None, folder.close, exitpriority=LAST)
