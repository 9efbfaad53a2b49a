import numpy as np
import pandas as pd
import pytest

from spacrd_core.labels.numbers import is_blank_number, parse_numbers


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.5", "-2", " 3e2 "], [1.5, -2.0, 300.0]),
        (["1,5", "-2", "0,125"], [1.5, -2.0, 0.125]),
        (["60,000", "80,000"], [60.0, 80.0]),
        (["1.234,5", "2.000", "7,25"], [1234.5, 2000.0, 7.25]),
        (["1'234,5", "2 000,5"], [1234.5, 2000.5]),
        (["1,234.5", "2,000", "7.25"], [1234.5, 2000.0, 7.25]),
        (["1,5", "2.5"], [1.5, 2.5]),
    ],
)
def test_a_column_is_read_with_its_decimal_sign(cells: list[str], expected: list[float]) -> None:
    assert parse_numbers(pd.Series(cells, dtype="string[pyarrow]")).tolist() == expected


def test_what_is_no_number_is_nan_and_only_blank_cells_state_none() -> None:
    cells = pd.Series(["", "NA", "left", "a,b", "1,5"], dtype="string[pyarrow]")
    assert np.isnan(parse_numbers(cells)).tolist() == [True, True, True, True, False]
    assert is_blank_number(cells).tolist() == [True, True, False, False, False]
