"""Damage to any file, as disks, networks and editors do it: bytes that flip, go, come, move or turn to zero."""

from collections.abc import Callable
from random import Random

Damage = Callable[[bytes, Random], bytes]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Return the bounds of a part, mostly a small one."""
    first = random.randrange(len(data) + 1)
    return first, min(first + random.choice((1, 2, 8, 64, 512, 4096)), len(data))


def flip(data: bytes, random: Random) -> bytes:
    """Flip a few bits."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 4, 32)) if data else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def flip_beginning(data: bytes, random: Random) -> bytes:
    """Flip a few bits where headers are."""
    return flip(data[:512], random) + data[512:]


def cut(data: bytes, random: Random) -> bytes:
    """Cut the end off, as an interrupted copy does."""
    return data[: random.choice((0, 1, len(data) // 2, len(data) - 1, random.randrange(len(data) + 1)))]


def cut_beginning(data: bytes, random: Random) -> bytes:
    """Cut the beginning off."""
    return data[random.choice((1, 2, 16, random.randrange(len(data) + 1))) :]


def remove(data: bytes, random: Random) -> bytes:
    """Take a part out."""
    first, last = _span(data, random)
    return data[:first] + data[last:]


def duplicate(data: bytes, random: Random) -> bytes:
    """Write a part, or the whole file, twice."""
    first, last = random.choice(((0, len(data)), _span(data, random)))
    return data[:last] + data[first:last] + data[last:]


def insert(data: bytes, random: Random) -> bytes:
    """Put random bytes somewhere."""
    first, _ = _span(data, random)
    return data[:first] + random.randbytes(random.choice((1, 4, 100))) + data[first:]


def zero(data: bytes, random: Random) -> bytes:
    """Turn a part to zero, as a file system does after a power cut."""
    first, last = _span(data, random)
    return data[:first] + bytes(last - first) + data[last:]


def swap(data: bytes, random: Random) -> bytes:
    """Exchange two parts."""
    (a, b), (c, d) = sorted((_span(data, random), _span(data, random)))
    c, d = max(b, c), max(b, d)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def replace(data: bytes, random: Random) -> bytes:
    """Return another kind of file: empty, blank, a web page, random bytes, or the beginning of a known format."""
    beginnings = (
        b"\x89HDF\r\n\x1a\n",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0",
        b"PAR1",
        b"{",
        b"[",
    )
    others = (b"", b"\n \n", b"<!doctype html><html></html>", random.randbytes(300), b"\0" * 300, b"%%MatrixMarket\n")
    return random.choice((*others, *(start + random.randbytes(100) for start in beginnings)))


ANY: tuple[Damage, ...] = (
    *(flip, flip, flip_beginning, cut, cut_beginning, remove, duplicate, insert, zero, swap, replace),
)
