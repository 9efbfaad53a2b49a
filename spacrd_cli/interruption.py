"""Ctrl-C, SIGTERM and SIGHUP: a command that is asked to end stops its work, cleans up, and ends soon in any case.

Only light modules are imported here: it is the first thing that a command does.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a batch system or `kill`, a closed terminal
INTERRUPTED = "interrupted; rerun the same command to resume"
SAME_S = 1.0  # `uv run` and others pass a signal on that the process group has got already
PATIENCE_S = 10.0  # batch systems wait for half a minute before they kill
SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """What a signal does to this process.

    While the command works, the first one raises a KeyboardInterrupt; afterwards the exit code stays as it is. One that
    comes again ends the process at once, and so does the end of the patience.
    """

    def __init__(self) -> None:
        self.number = 0
        self._since = 0.0
        self._code: int | None = None

    def listen(self) -> None:
        """Begin to handle signals, except those that this process already ignores (as under ``nohup``)."""
        atexit.register(self._ignore)  # what is registered first is run last
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)
        sys.unraisablehook = self._handle_unraisable

    @property
    def exit_code(self) -> int:
        """The exit code of an interrupted command."""
        return 128 + (self.number or signal.SIGINT)

    @property
    def message(self) -> str:
        """The message for the user."""
        name = "" if self.number in {0, signal.SIGINT} else f"{signal.Signals(self.number).name}: "
        return f"{name}{INTERRUPTED}"

    def finish(self, code: int) -> int:
        """Return the exit code of a command whose work is done: a signal that comes later does not change it."""
        self._code = code
        return code

    def leave(self, code: int) -> None:
        """End this process; if it was interrupted, without the interpreter's end, which takes a second with PyTorch."""
        if not self.number:
            sys.exit(code)
        atexit._run_exitfuncs()  # noqa: SLF001
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
        os._exit(code)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.number:
            if time.monotonic() - self._since > SAME_S:
                self._leave()
            return
        self.number, self._since = number, time.monotonic()
        with suppress(RuntimeError):  # there are too many threads
            _thread.start_new_thread(self._leave_late, ())
        if self._code is None:
            _kill_workers()
            _silence_consequences()
            raise KeyboardInterrupt

    def _handle_unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Raise the interruption again if it was raised where nothing can be raised, as in a destructor."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.start_new_thread(self._receive_again, (signal.Signals(self.number or signal.SIGINT),))
        elif not self.number:  # otherwise it is a consequence
            sys.__unraisablehook__(unraisable)

    def _receive_again(self, number: signal.Signals) -> None:
        time.sleep(0.001)  # until the destructor has returned
        self.number = 0
        _thread.interrupt_main(number)

    def _leave_late(self) -> None:
        time.sleep(PATIENCE_S)
        self._leave()

    def _leave(self) -> None:
        """End at once. Workers notice it; what is left behind is removed by the next command."""
        with suppress(OSError):
            if os.isatty(2):
                os.write(2, SHOW_CURSOR)
            if self._code is None:
                os.write(2, f"{self.message}\n".encode())
        code = self.exit_code if self._code is None else self._code
        _thread.start_new_thread(_exit_soon, (code,))
        with suppress(KeyError, AttributeError):  # of named semaphores: their tracker complains if they are left
            sys.modules["multiprocessing.util"]._run_finalizers(0)  # noqa: SLF001
        os._exit(code)

    def _ignore(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _exit_soon(code: int) -> None:
    time.sleep(1)
    os._exit(code)


def _kill_workers() -> None:
    """Kill the processes that work for this one, and the one that they are forked from."""
    with suppress(KeyError, AttributeError):  # not imported yet, and so there are none
        for process in sys.modules["multiprocessing"].active_children():
            process.kill()
        sys.modules["spacrd_core.executors.fork_server"].stop_fork_server()


def _silence_consequences() -> None:
    """Let libraries log no error and threads show none: they are cut off from now on."""
    with suppress(KeyError, AttributeError):
        sys.modules["logging"].disable()
    if "threading" in sys.modules:
        import threading

        threading.excepthook = lambda _: None
