"""Predictions are read with the configuration of the detector that made them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import MakeSection
from stand_ins.detector import made_detector

from spacrd_core.detector.predictions import read_predictions
from spacrd_core.errors import CorruptStore
from spacrd_core.plugins import Plugins
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

TABLE = pd.DataFrame({"probability": [0.25, 0.75]}, index=pd.Index(["a", "b"], name="spot"))


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    return store


def publish(store: SpotStore, key: str, detector: dict[str, Any]) -> None:
    store.publish_predictions(store.entry("S1"), TABLE, key=key, detector=detector)


def test_the_configuration_is_the_one_of_the_detector(store: SpotStore, plugins: Plugins) -> None:
    config = made_detector(plugins).config
    publish(store, config.key, config.model_dump(mode="json"))
    table, read = read_predictions(store, "S1")
    pd.testing.assert_frame_equal(table, TABLE)
    assert read == config


def test_a_damaged_configuration_is_an_error(store: SpotStore) -> None:
    publish(store, "key", {"head": "linear"})
    with pytest.raises(CorruptStore, match="section 'S1' is damaged") as caught:
        read_predictions(store, "S1")
    assert "store verify" in caught.value.hint
