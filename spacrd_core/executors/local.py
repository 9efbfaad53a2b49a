"""Values that a task needs and that are too large to be sent with every task."""

from __future__ import annotations

import pickle
import threading
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")

KEPT_VALUES = 4  # per process, whichever command they are of

_lock = threading.Lock()


class Local(Generic[Value]):
    """A value of this process. Sent to another one, it is made there anew, once for all tasks.

    ``make`` makes it, from the arguments of :meth:`get`, such as the worker's device; it is small and can be pickled.

    >>> names = Local(list, ["S1"])
    >>> names.get(), pickle.loads(pickle.dumps(names)).get()
    (['S1'], [])
    """

    def __init__(self, make: Callable[..., Value], value: Value) -> None:
        self._make, self._value = make, value

    def get(self, *_: Hashable) -> Value:
        """Return the value."""
        return self._value

    @cached_property
    def _pickled(self) -> bytes:
        return pickle.dumps(self._make)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Elsewhere, (self._pickled,)


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
