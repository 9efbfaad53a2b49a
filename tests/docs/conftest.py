"""Run the steps of all pages once."""

import pytest
from documentation.run import Done, do_all


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The results of all steps."""
    return do_all(tmp_path_factory.mktemp("world"))
