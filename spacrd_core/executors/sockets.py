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
    """Give multiprocessing a locked temporary folder, unless it has one already; the lock shows that it is in use."""
    settings: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001
    if "tempdir" not in settings:
        folder = ExitStack()
        settings["tempdir"] = str(folder.enter_context(staging(Path(gettempdir()))))
        util.Finalize(None, folder.close, exitpriority=LAST)
