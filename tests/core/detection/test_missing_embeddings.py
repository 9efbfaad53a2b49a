"""``detect`` computes missing embeddings in the same way as those that the detector was trained on."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import MakeSection

from spacrd_core import Detector, Settings, SpotStore, TrainOptions, detect, embed, train
from spacrd_core.detector.config import read_detector_config
from spacrd_core.errors import RecipeMismatch
from spacrd_core.ingestion.checks import check_section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section

NORMALISED = {"normalised": True}


@pytest.fixture
def store(make_section: MakeSection, tmp_path: Path) -> SpotStore:
    """Three sections, two of them embedded in normalised stain."""
    store = SpotStore.create(tmp_path / "store")
    for seed, name in enumerate(("S1", "S2", "S3")):
        section, checks = check_section(make_section(seed))
        add_section(store, section, SectionKey(name, name, f"made{seed}", mpp=5.0), checks=asdict(checks))
    embed(store, "stain", options=NORMALISED, sections=["S1", "S2"], settings=Settings(device="cpu"))
    return store


@pytest.fixture
def detector(store: SpotStore) -> Detector:
    return train(store, TrainOptions(head="linear", seeds=1), encoder="stain", exclude=["S3"])


@pytest.mark.slow
def test_they_are_made_with_the_options_of_the_training(store: SpotStore, detector: Detector) -> None:
    detect(store, detector, sections=["S3"])
    made, trained = (store.embedding(section, encoder="stain") for section in ("S3", "S1"))
    assert made.options == trained.options == NORMALISED
    assert made.recipe == trained.recipe
    assert np.isfinite(made.values).all()


@pytest.mark.slow
def test_the_detector_records_the_options_of_its_encoder(detector: Detector, tmp_path: Path) -> None:
    detector.save(tmp_path / "detector")
    encoder = read_detector_config(tmp_path / "detector").encoder
    assert encoder is not None
    assert (encoder.name, encoder.options) == ("stain", NORMALISED)


@pytest.mark.slow
def test_an_encoder_that_is_another_one_by_now_is_refused(store: SpotStore, detector: Detector) -> None:
    assert detector.config.encoder is not None
    older = detector.config.encoder.model_copy(update={"recipe_key": "of an older version"})
    object.__setattr__(detector.config, "encoder", older)
    with pytest.raises(RecipeMismatch) as caught:
        detect(store, detector, sections=["S3"])
    assert "sections without embeddings: S3" in str(caught.value)
    assert f"spacrd embed {store.path} --encoder stain" in caught.value.hint
