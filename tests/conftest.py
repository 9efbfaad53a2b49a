"""What tests share: where the real sections are, and the components as users have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacrd_core.plugins import Plugins, load_plugins

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def her2st() -> Path:
    """The folder of the real her2st sections."""
    folder = DATA / "her2st"
    if not folder.is_dir():
        pytest.skip(f"the real sections are not beside the project ({folder})")
    return folder


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()
