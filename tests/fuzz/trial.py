"""One trial: read a file within bounds of time and memory, and judge how that ended."""

import ctypes
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pyarrow as pa

from spacrd_core.errors import SpacrdError

pa.set_memory_pool(pa.system_memory_pool())  # pyarrow's own pools reserve a gigabyte of addresses at a time
M_ARENA_MAX = -8
if hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(M_ARENA_MAX, 2)  # glibc reserves 64 megabytes of addresses for every thread
MAX_BYTES = 2**30  # more than the process has before a trial
MAX_SECONDS = 10.0  # of the processor
MAX_MESSAGE = 2_100  # letters; a message does not repeat a file


class TooSlow(BaseException):
    """A trial took longer than allowed."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: ``fault`` is '' where the file was read, or refused with an error of ours."""

    refused: bool = False
    fault: str = ""


def attempt(read: Callable[[], object]) -> Outcome:
    """Return how reading ended."""
    try:
        with _bounded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read()
    except TooSlow:
        return Outcome(fault=f"more than {MAX_SECONDS:g} s")
    except BaseException as error:  # noqa: BLE001 - the question is which errors come
        return Outcome(refused=True, fault=_fault(error))
    return Outcome()


def _fault(error: BaseException) -> str:
    """Return what is wrong with an error; '' for one of ours with a sentence."""
    if isinstance(error, ExceptionGroup):
        return next(filter(None, map(_fault, error.exceptions)), "")
    if not isinstance(error, SpacrdError):
        return f"{type(error).__name__}: {str(error)[:200]} {_place(error)}"
    if len(str(error)) > MAX_MESSAGE:
        return f"a message of {len(str(error))} letters: {str(error)[:200]}"
    return "" if str(error).strip() else f"{type(error).__name__} without a message"


def _place(error: BaseException) -> str:
    """Return the deepest line of ours that an error passed through."""
    place, trace = "", error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if "spacrd_" in code.co_filename and "site-packages" not in code.co_filename:
            place = f"({Path(code.co_filename).parent.name}/{Path(code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


@contextmanager
def _bounded() -> Iterator[None]:
    """Bound the processor time and the address space inside the block."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise TooSlow

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    previous = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MAX_BYTES, hard))
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGPROF, previous)
