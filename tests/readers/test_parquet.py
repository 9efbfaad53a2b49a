"""A parquet file that declares more rows than any real one, or unpacks to far more than it holds, is refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from spacrd_core.errors import GeometryError
from spacrd_readers import _parquet
from spacrd_readers._parquet import require_rows
from spacrd_readers.visium.positions import read_positions
from spacrd_readers.visium_hd.positions import open_positions
from spacrd_readers.xenium.cells import read_cells


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"x": np.arange(100)}), path)
    return path


def test_too_many_rows_are_refused(file: Path) -> None:
    metadata = parquet.read_metadata(file)
    require_rows(file, metadata, 100)
    with pytest.raises(ValueError, match="it declares 100 rows"):
        require_rows(file, metadata, 99)


def test_too_much_inside_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parquet, "FREE_BYTES", 100)
    monkeypatch.setattr(_parquet, "MAX_EXPANSION", 0.1)
    with pytest.raises(ValueError, match="it unpacks to more than"):
        require_rows(file, parquet.read_metadata(file), 100)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(40) + b"PAR1"])
def test_every_reader_refuses_what_is_no_parquet(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    for read in (read_positions, read_cells, lambda path: open_positions(path).__enter__()):
        with pytest.raises(GeometryError, match=r"a\.parquet"):
            read(file)
