"""Signals while processes are started: none of them arrives halfway, and children do not see Ctrl-C."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

DEFERRED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def starting_processes(stop_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Start processes in the block, which is not interrupted; they ignore Ctrl-C until they handle it (their mask).

    ``stop_waiting`` is called when a signal arrives.
    """
    with _deferred(stop_waiting):
        with _blocked(signal.SIGHUP):  # it cleans up after this process, and ignores Ctrl-C and SIGTERM anyway
            resource_tracker.ensure_running()  # not in the next block: it admits Ctrl-C again
        with _blocked(signal.SIGINT):
            yield


@contextmanager
def _blocked(number: signal.Signals) -> Iterator[None]:
    """Keep a signal from processes that are started in the block: they inherit the mask."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _deferred(stop_waiting: Callable[[], None]) -> Iterator[None]:
    """Let signals that have a handler wait for the end of the block.

    A mask is not enough: another thread receives the signal, and Python handles it in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def receive(number: int, _: FrameType | None) -> None:
        arrived.append(number)
        stop_waiting()

    handlers = {number: handler for number in DEFERRED if callable(handler := signal.getsignal(number))}
    try:
        for number in handlers:
            signal.signal(number, receive)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for arrival in arrived:
            signal.raise_signal(arrival)
