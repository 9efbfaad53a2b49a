"""Centres and areas of labels of a picture, whatever their numbers are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from spatialdata.models import Labels2DModel

from spacrd_readers.spatialdata import elements
from spacrd_readers.spatialdata.elements import measure


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.uint64])
@pytest.mark.parametrize("first", [1, 60_000])
def test_labels_of_every_type_have_their_centre_and_area(
    monkeypatch: pytest.MonkeyPatch, dtype: type, first: int
) -> None:
    monkeypatch.setattr(elements, "MAX_BAND_PX", 40)  # labels go on from one band to the next
    picture: NDArray[Any] = np.zeros((12, 20), dtype=dtype)
    picture[1:9, 2:6], picture[3:5, 10:20] = first, first + 5
    table, kind = measure(Labels2DModel.parse(picture, dims=("y", "x")), "labels", Path("run.zarr"))
    assert kind == "label"
    assert table.loc[str(first)].tolist() == [4.0, 5.0, 32.0]
    assert table.loc[str(first + 5)].tolist() == [15.0, 4.0, 20.0]
    assert len(table) == 2


def test_a_picture_without_labels_has_none() -> None:
    empty = Labels2DModel.parse(np.zeros((12, 20), dtype=np.int32), dims=("y", "x"))
    assert measure(empty, "labels", Path("run.zarr"))[0].empty
