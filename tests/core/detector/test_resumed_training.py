"""A training that is interrupted goes on where it was, and gives the detector of one that was not."""

from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core import SpotStore
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.files import require_detector_folder
from spacrd_core.detector.train import train
from spacrd_core.detector.training_folder import mark_done, training_folder
from spacrd_core.errors import DetectorError
from spacrd_core.executors.serial import Serial
from spacrd_core.model.calibrated_ensemble import TrainingEvent, TrainOptions
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section

OPTIONS = TrainOptions(head="linear", seeds=1)
COMPARED = ("model.safetensors", "config.json", "metrics.json")


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """One section of each of two patients."""
    store = SpotStore.create(tmp_path / "store")
    for seed, name in enumerate("AB"):
        add_section(store, make_section(seed, image=False), SectionKey(name, name, f"made-{name}"))
    return store


def trained(store: SpotStore, folder: Path | None, executor: Serial | None = None) -> tuple[Detector, list[int]]:
    """A detector, and of every group how many were kept."""
    events: list[TrainingEvent] = []
    detector = train(
        store, OPTIONS, encoder=None, device="cpu", on_event=events.append, resume=folder, executor=executor
    )
    return detector, [event.kept for event in events if event.epoch is None]


def interrupt(_: TrainingEvent) -> None:
    raise KeyboardInterrupt


def files_of(detector: Detector, folder: Path) -> list[bytes]:
    detector.save(folder)
    return [(folder / name).read_bytes() for name in COMPARED]


def test_it_uses_what_is_done_and_gives_the_same_detector_on_every_executor(store: SpotStore, tmp_path: Path) -> None:
    whole, _ = trained(store, None)
    expected = files_of(whole, tmp_path / "whole")
    for number, executor in enumerate((None, Serial())):
        folder = training_folder(tmp_path / f"det{number}")
        with pytest.raises(KeyboardInterrupt):
            train(store, OPTIONS, encoder=None, device="cpu", on_event=interrupt, resume=folder, executor=executor)
        assert len(list(folder.glob("*.safetensors"))) == 1
        detector, kept = trained(store, folder, executor)
        assert kept == [1, 0]
        assert len(list(folder.glob("*.safetensors"))) == 2
        assert files_of(detector, tmp_path / f"det{number}") == expected
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_a_training_that_was_killed_when_it_was_done_leaves_nothing(store: SpotStore, tmp_path: Path) -> None:
    folder = training_folder(tmp_path / "det")
    detector, _ = trained(store, None)
    detector.save(tmp_path / "det")
    mark_done(folder, detector.config.key)
    assert not folder.exists()  # nothing was kept
    folder.mkdir()
    kept = folder / f"{'0' * 32}.{'0' * 64}.safetensors"
    kept.touch()  # of another training, as far as anyone knows
    refuse(tmp_path / "det")
    assert kept.exists()
    mark_done(folder, detector.config.key)
    refuse(tmp_path / "det")
    assert not folder.exists()
    folder.mkdir()  # it was killed before it removed the folder itself
    refuse(tmp_path / "det")
    assert not folder.exists()


def refuse(detector: Path) -> None:
    with pytest.raises(DetectorError, match="contains a detector already"):
        require_detector_folder(detector, replace=False)
