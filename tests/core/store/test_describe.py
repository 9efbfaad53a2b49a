"""What the store says of a section."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import MakeSection
from core.store.test_store import published

from spacrd_core.errors import UnknownSection
from spacrd_core.store.describe import describe_section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    return SpotStore.create(tmp_path / "store")


def test_a_section_is_described_with_all_that_was_made_from_it(store: SpotStore, make_section: MakeSection) -> None:
    section = make_section(1)
    section.counts.obs["annotation"] = section.counts.obs["label"].astype(str) + " tissue"
    entry = add_section(store, section, SectionKey("S1", "P1", "one", given={"path": "/data/S1"}))
    keys = [published(store, entry, weights) for weights in ("one", "two")]
    table = pd.DataFrame({"label": ["cancer", "cancer", "normal"]}, index=["a", "b", "c"])
    detector = {"head": "linear", "encoder": {"name": "colour"}, "trained_on": [{"id": "S7"}], "spacrd_version": "1"}
    store.publish_predictions(entry, table, key="detector-key", detector=detector)
    described = describe_section(store, "S1")
    assert (described["id"], described["patient"], described["spots"], described["genes"]) == ("S1", "P1", 144, 40)
    assert described["slide"]["um_per_px"] == 5.0
    assert described["slide"]["image"].endswith("slide1.png")
    labels = described["labels"]
    assert labels["labelled"] == labels["cancer"] + labels["normal"] == 144
    assert {text["annotation"]: text["spots"] for text in labels["texts"]} == {
        "cancer tissue": labels["cancer"],
        "normal tissue": labels["normal"],
    }
    assert [(each["recipe"], each["latest"]) for each in described["embeddings"]] == [(keys[0], False), (keys[1], True)]
    (calls,) = described["calls"]
    assert (calls["detector"], calls["head"], calls["encoder"]) == ("detector-key", "linear", "colour")
    assert calls["trained_on"] == ["S7"]
    assert calls["spots"] == {"cancer": 2, "normal": 1}
    assert described["given"] == {"path": "/data/S1"}
    assert described["sources"][0]["role"] == "image"
    assert described["bytes"] > 0


def test_a_bare_section_has_neither_slide_nor_labels(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False, labels=False), SectionKey("S1", "P1", "one"))
    described = describe_section(store, "S1")
    assert (described["slide"], described["labels"]) == (None, None)
    assert described["embeddings"] == described["calls"] == []


def test_an_unknown_section_is_refused(store: SpotStore) -> None:
    with pytest.raises(UnknownSection):
        describe_section(store, "S1")
