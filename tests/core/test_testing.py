"""The pytest classes for third parties, applied to the components of a small real distribution."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from conftest import Install

from spacrd_core.contracts.head import Build
from spacrd_core.testing import EncoderContract, HeadContract, ReaderContract

SPOTS = "spot,x_px,y_px,ERBB2,KRT8\na,0,0,3,0\nb,200,0,0,1\nc,0,200,4,4\n"


@pytest.fixture
def components(install: Install) -> Any:
    install("mylab")
    return importlib.import_module("mylab_spacrd.components")


class TestMyLab(ReaderContract):
    @pytest.fixture
    def reader(self, components: Any) -> Any:
        return components.MyLab(components.MyLab.Options())

    @pytest.fixture
    def example(self, tmp_path: Path) -> Path:
        path = tmp_path / "a.mylab.csv"
        path.write_text(SPOTS)
        return path


class TestColour(EncoderContract):
    @pytest.fixture
    def encoder(self, components: Any) -> Any:
        return components.Colour(components.Colour.Options())


class TestNeighbours(HeadContract):
    @pytest.fixture
    def build(self, components: Any) -> Build:
        return lambda dims: components.Neighbours(components.Neighbours.Options(), dims=dims)
