"""Damage to HDF5 and parquet files that keeps them readable: members that are missing, or of other types and shapes."""

import io
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
from pyarrow import parquet

HUGE = 10**12
PAIR = np.dtype([("a", "i4"), ("b", "f8")])


def hdf5(data: bytes, random: Random) -> bytes:
    """Change a few members of an HDF5 file."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        for _ in range(random.choice((1, 1, 2))):
            names: list[str] = []
            file.visit(names.append)
            if names:
                _change(file, random.choice(names), random)
    return stream.getvalue()


def _change(file: h5py.File, name: str, random: Random) -> None:
    """Change an attribute of a member, or put another member into its place, or none."""
    node = file[name]
    if list(node.attrs) and random.random() < 0.25:
        _change_attribute(node, random)
        return
    is_array = isinstance(node, h5py.Dataset) and (node.size or 0) < HUGE
    stored, shape = (node[()], node.shape or (1,)) if is_array else (None, (3,))
    del file[name]
    if random.random() < 0.3:
        _write_other(file, name, stored, random)
        return
    constant = np.full(shape, random.choice((np.nan, -1.5, 1e300, np.inf)))
    others: tuple[Any, ...] = (
        *(np.float64("nan"), np.float64(-1), np.zeros(0, dtype="i4"), np.zeros(0, dtype="S3"), constant),
        *(h5py.SoftLink(f"/{name}"), h5py.ExternalLink("elsewhere.h5", "/matrix"), h5py.Empty("f8")),
    )
    choices: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: file.create_group(name),
        lambda: file.create_dataset(name, shape=(HUGE,), chunks=(65536,), dtype=random.choice(("i4", "S18", "f8"))),
        lambda: file.create_dataset(name, shape=shape, dtype=random.choice((PAIR, h5py.string_dtype()))),
        *[lambda: file.__setitem__(name, random.choice(others))] * 4,
    )
    random.choice(choices)()


def _change_attribute(node: Any, random: Random) -> None:
    key = random.choice(list(node.attrs))
    values: tuple[Any, ...] = (
        *("", "x" * 1000, -1, HUGE, np.nan, [1, 2, 3], np.zeros(3, PAIR), [HUGE, HUGE], [-1, -1], b"\xff"),
    )
    if random.random() < 0.3:
        del node.attrs[key]
    else:
        node.attrs[key] = random.choice(values)


def _write_other(file: h5py.File, name: str, stored: Any, random: Random) -> None:
    """Write values with another type, shape, order or with some of them out of range."""
    values = np.asarray(stored if stored is not None else [0])
    choice = random.randrange(6)
    if choice == 0:
        values = values[: len(values) // 2] if values.ndim else values
    elif choice == 1:
        values = np.concatenate([values, values]) if values.ndim else values
    elif choice == 2:
        values = values.reshape(-1, 1)
    elif choice == 3:
        values = values[::-1] if values.ndim else values
    elif choice == 4 and values.dtype.kind in "iuf" and values.size:
        values = values.copy()
        limits = np.iinfo(values.dtype) if values.dtype.kind in "iu" else np.finfo(values.dtype)
        values.reshape(-1)[random.randrange(values.size)] = random.choice((limits.min, limits.max, 1))
    elif values.dtype.kind in "iuf":
        values = values.astype(random.choice(("S8", "f4", "i1", "u8", "f8")))
    file[name] = values


def table(data: bytes, random: Random) -> bytes:
    """Change a column of a parquet file: no such column, another type, no values, or lists."""
    frame = parquet.read_table(io.BytesIO(data))
    number = random.randrange(frame.num_columns)
    name, rows = frame.column_names[number], frame.num_rows
    others = (
        *(
            pa.nulls(rows),
            pa.array(["x"] * rows),
            pa.array([[1]] * rows),
            pa.array([1e300] * rows),
            pa.array([-1] * rows),
        ),
        *(
            pa.array([float("nan")] * rows),
            pa.array([{"a": 1}] * rows),
            pa.array([b"\xff"] * rows),
            pa.array([True] * rows),
        ),
    )
    choice = random.randrange(4)
    if choice == 0:
        frame = frame.drop_columns([name])
    elif choice == 1:
        frame = frame.slice(0, random.choice((0, 1, rows // 2)))
    else:
        frame = frame.set_column(number, name, random.choice(others))
    stream = io.BytesIO()
    parquet.write_table(frame, stream)
    return stream.getvalue()
