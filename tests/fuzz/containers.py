"""Which damage fits a file, by its name; what is packed is also damaged inside, and packed again."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

from fuzz import arrays, damage, text

Damage = damage.Damage
BOMB = 2**26


def damage_for(name: str) -> tuple[Damage, ...]:
    """Return the kinds of damage for a file of this name; half of it keeps the file readable."""
    inner, packed, _ = name.rpartition(".gz")
    if packed:
        return (*damage.ANY, bomb, *(_packed(change) for change in damage_for(inner)))
    own = OWN.get(name.rpartition(".")[2], ())
    return (*damage.ANY, *own * (len(damage.ANY) // max(len(own), 1)))


def named(apply: Damage, change: Callable[..., object]) -> Damage:
    """Return damage under the name of the change in it."""
    apply.__qualname__ = change.__qualname__
    return apply


def _text(change: Callable[[str, Random], str]) -> Damage:
    def apply(data: bytes, random: Random) -> bytes:
        content = change(data.decode("utf-8", errors="replace"), random)
        coding = random.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "latin-1"))
        return content.encode(coding, errors="replace")

    return named(apply, change)


def _or_other(change: Damage) -> Damage:
    """Return damage that changes bytes where a change of members is not possible."""

    def apply(data: bytes, random: Random) -> bytes:
        try:
            return change(data, random)
        except (ValueError, TypeError, KeyError, RuntimeError, OSError, ArithmeticError, MemoryError):
            return damage.flip(data, random)

    return named(apply, change)


def _packed(change: Damage) -> Damage:
    def apply(data: bytes, random: Random) -> bytes:
        return gzip.compress(change(gzip.decompress(data), random), 1, mtime=0)

    return named(apply, change)


def bomb(data: bytes, random: Random) -> bytes:
    """Return text that fills memory when it is unpacked, after the beginning of the file."""
    start = gzip.compress(gzip.decompress(data), 1, mtime=0) if random.random() < 0.5 else b""
    return start + _much_of(random.choice((b"a\n", b"0,", b"\0", b"1\t2\t3\n", b" "))) * random.choice((4, 24))


@cache
def _much_of(line: bytes) -> bytes:
    """Return 64 megabytes of a line in some 64 kilobytes."""
    return gzip.compress(line * (BOMB // len(line)), 9, mtime=0)


def header(data: bytes, random: Random) -> bytes:
    """Declare another size, depth or kind of colour in a PNG."""
    width, height = (random.choice((0, 1, 100, 60_000, 2**31 - 1)) for _ in range(2))
    facts = struct.pack(">II5B", width, height, random.choice((1, 8, 16)), random.choice((0, 2, 3, 6, 7)), 0, 0, 0)
    return data[:16] + facts + struct.pack(">I", zlib.crc32(b"IHDR" + facts)) + data[33:]


def member(data: bytes, random: Random) -> bytes:
    """Take a member out of a zip, damage it, or give it twice or under another name."""
    source, stream = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    chosen, choice = random.choice(source.namelist()), random.randrange(5)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name != chosen:
                target.writestr(name, content)
            elif choice == 1:
                target.writestr(f"../{name}", content)
            elif choice == 2:
                target.writestr(name, bytes(BOMB))
            elif choice > 2:
                is_text = content[:1] in {b"{", b"["}
                change = _text(random.choice(text.JSON)) if is_text else random.choice(damage.ANY)
                target.writestr(name, change(content, random))
    return stream.getvalue()


TABLE, JSON = tuple(map(_text, text.TABLE)), tuple(map(_text, text.JSON))
OWN: dict[str, tuple[Damage, ...]] = {
    **dict.fromkeys(("csv", "tsv", "txt", "mtx", "toml"), TABLE * 2),
    **dict.fromkeys(("json", "geojson", "xenium"), JSON),
    **dict.fromkeys(("h5", "h5ad"), (_or_other(arrays.hdf5),)),
    "parquet": (_or_other(arrays.table),),
    "zip": (_or_other(member),),
    "png": (header,) * 3,
}
