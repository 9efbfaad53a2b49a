"""Values that a task needs and that are too large to be sent with every task."""

from __future__ import annotations

import pickle
import threading
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from spacrd_core.executors.shared_file import SharedFile
from spacrd_core.staging import staging

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from spacrd_core.executors.pool import Executor

Value = TypeVar("Value")

KEPT_VALUES = 4  # per process, whichever command they are of

_lock = threading.Lock()


class Local(Generic[Value]):
    """A value of this process. Sent to another one, it is made there anew, once for all tasks.

    ``make`` makes it, from the arguments of :meth:`get`, such as the worker's device; it is small and can be pickled.
    With a ``file``, other processes read the value from there; it is written when the value is first sent.

    >>> names = Local(list, ["S1"])
    >>> names.get(), pickle.loads(pickle.dumps(names)).get()
    (['S1'], [])
    """

    def __init__(self, make: Callable[..., Value], value: Value, file: Path | None = None) -> None:
        self._make, self._value, self._file = make, value, file

    def get(self, *_: Hashable) -> Value:
        """Return the value."""
        return self._value

    @cached_property
    def _pickled(self) -> bytes:
        if self._file:
            with suppress(OSError):  # if there is no room for it, workers make it
                return pickle.dumps(SharedFile.write(self._value, self._file))
        return pickle.dumps(self._make)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Elsewhere, (self._pickled,)


@contextmanager
def for_workers(executor: Executor, make: Callable[..., Value], value: Value) -> Iterator[Local[Value]]:
    """Yield a value for the workers of an executor: those on this machine get it from a temporary file.

    It may be large; that of a command which was killed is removed by the next.
    """
    with ExitStack() as stack:
        file = None
        with suppress(OSError):  # if there is no room for it, workers make it
            file = stack.enter_context(staging(Path(gettempdir()))) / "value"
        yield Local(make, value, file if executor.same_machine else None)


class _Elsewhere(Generic[Value]):
    """A local value in another process than the one that it was given in."""

    def __init__(self, make: bytes) -> None:
        self._pickled = make

    def get(self, *arguments: Hashable) -> Value:
        with _lock:  # threads of one process share it
            value: Value = _made(self._pickled, arguments)
            return value


@lru_cache(KEPT_VALUES)
def _made(make: bytes, arguments: tuple[Hashable, ...]) -> Any:
    return pickle.loads(make)(*arguments)  # noqa: S301 - what this command has pickled
