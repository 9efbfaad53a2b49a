"""Names become bytes, unless one of them would make the array large."""

from pathlib import Path

import pytest

from spacrd_core.errors import GeometryError
from spacrd_core.opening.names import MAX_NAME_BYTES, as_bytes


def test_names_of_any_type_become_bytes() -> None:
    assert as_bytes(["A-1", b"B", 3], Path("a.csv")).tolist() == [b"A-1", b"B", b"3"]


def test_a_name_that_no_barcode_is_as_long_as_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"a\.csv is damaged: the name of a spot, bin or cell in it has 257"):
        as_bytes(["A", "A" * (MAX_NAME_BYTES + 1)], Path("a.csv"), GeometryError)
