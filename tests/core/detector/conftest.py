"""A detector that is trained once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_ins.detector import made_detector, written
from stand_ins.hub import Hub, hub

from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Path:
    """The folder of a genes-only detector; tests must not change it."""
    return written(made_detector(plugins), tmp_path_factory.mktemp("trained") / "detector")


@pytest.fixture
def stand_in() -> Iterator[Hub]:
    with hub() as server:
        yield server
