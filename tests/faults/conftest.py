"""The driver and the workshop, made once for all tests of faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import made_once

from faults.commands import Driver, driver
from faults.workshop import make_workshop


@pytest.fixture(scope="session")
def commands() -> Iterator[Driver]:
    with driver({}) as process:
        yield process


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, commands: Driver) -> Path:
    def make(folder: Path) -> None:
        make_workshop(folder, commands)

    return made_once(tmp_path_factory, "workshop", make)
