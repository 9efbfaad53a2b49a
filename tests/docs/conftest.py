"""All that the pages say is to be done, done once."""

from __future__ import annotations

import pytest
from documentation.run import Done, do_all


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """What became of it."""
    return do_all(tmp_path_factory.mktemp("world"))
