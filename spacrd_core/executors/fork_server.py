"""The process that workers are forked from: it has loaded the libraries, so that a worker starts at once.

It computes nothing, and so has no threads that a fork would lose. Nothing heavy is imported here: a command starts the
server before it loads the same libraries itself.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from spacrd_core.executors.signals import starting_processes
from spacrd_core.executors.sockets import use_removable_folder

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

IS_SAFE = sys.platform == "linux"  # on macOS, libraries of the system do not bear a fork


def start_fork_server(*modules: str) -> bool:
    """Start the server, which loads these modules while this process goes on; a server that runs stays as it is.

    Return whether it runs: it has a socket in the temporary folder, whose path may be too long for one.
    """
    if not IS_SAFE:
        return False
    multiprocessing.set_forkserver_preload(list(modules))
    try:
        use_removable_folder()
        with starting_processes():
            forkserver.ensure_running()
    except OSError:
        return False
    return True


def worker_context(devices: list[str]) -> BaseContext:
    """Return how workers for some devices start: forked from the server, or as new processes.

    CUDA works in new processes only.
    """
    loaded = (name for name in list(sys.modules) if name.startswith("spacrd_"))
    forks = set(devices) == {"cpu"} and start_fork_server(*loaded)
    return multiprocessing.get_context("forkserver" if forks else "spawn")


@atexit.register
def stop_fork_server() -> None:
    """Kill the server, which would first load its modules to the end before it notices that this process has ended."""
    if pid := getattr(forkserver, "_forkserver")._forkserver_pid:  # noqa: B009, SLF001 - it has no public name
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
