"""Write and read SpatialData objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles.spatialdata_object import write

from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.spatialdata.reader import SpatialData

Read = Callable[..., Section]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that writes an object's elements and reads the section: ``read(elements, inputs, **options)``."""

    def read_(elements: dict[str, Any], inputs: ImageInputs | None = None, **options: Any) -> Section:
        path = tmp_path / "run.zarr"
        if not path.exists():
            write(path, **elements)
        return SpatialData(SpatialData.Options(**options)).read(path, inputs or ImageInputs())

    return read_
