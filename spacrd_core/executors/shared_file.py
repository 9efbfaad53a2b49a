"""A large value for the workers of this machine: written once, and mapped into the memory of each of them."""

from __future__ import annotations

import mmap
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

ALIGNMENT = 64  # bytes: arrays begin where processors read them fastest


@dataclass(frozen=True)
class SharedFile:
    """A pickled value: its path, and the first byte and the size of the pickle and of every array.

    Workers share the memory of the arrays until they change them.
    """

    path: Path
    parts: tuple[tuple[int, int], ...]

    @classmethod
    def write(cls, value: object, path: Path) -> Self:
        """Write a value to a new file."""
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        parts = []
        with path.open("xb") as stream:
            for part in (memoryview(pickled), *(buffer.raw() for buffer in buffers)):
                stream.seek(-stream.tell() % ALIGNMENT, 1)
                parts.append((stream.tell(), part.nbytes))
                stream.write(part)
        return cls(path, tuple(parts))

    def __call__(self, *_: object) -> Any:
        """Return the value; what is done to it stays in this process."""
        with self.path.open("rb") as stream:
            memory = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
        pickled, *arrays = (memory[start : start + size] for start, size in self.parts)
        return pickle.loads(pickled, buffers=arrays)  # noqa: S301 - what this command has pickled
