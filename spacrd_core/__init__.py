"""SpaCRD for notebooks and programs: the spot store and the steps as functions.

>>> from spacrd_core import SpotStore, embed, train, detect, evaluate, write_results

What every part of SpaCRD shares lies in the modules below: components by name, the store, embeddings, learning,
results. They are imported when they are used, so that a command which needs no torch loads none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacrd_core._version import __version__
    from spacrd_core.cohort.options import CohortOptions
    from spacrd_core.detection.detect import detect
    from spacrd_core.detector.detector import Detector
    from spacrd_core.detector.load import load_detector
    from spacrd_core.detector.train import train
    from spacrd_core.embedding.embed import embed
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.evaluation.evaluate import Evaluation, evaluate
    from spacrd_core.ingestion.ingest import ingest
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.model.decision import Calling
    from spacrd_core.model.options import HeadChoice
    from spacrd_core.model.thresholds import ThresholdRule
    from spacrd_core.results.write import write_results
    from spacrd_core.store.store import SpotStore

__all__ = [
    "Calling",
    "CohortOptions",
    "Detector",
    "Evaluation",
    "HeadChoice",
    "Settings",
    "SpotStore",
    "ThresholdRule",
    "TrainOptions",
    "__version__",
    "detect",
    "embed",
    "evaluate",
    "ingest",
    "load_detector",
    "train",
    "write_results",
]

HOMES = {
    "Calling": "model.decision",
    "CohortOptions": "cohort.options",
    "Detector": "detector.detector",
    "Evaluation": "evaluation.evaluate",
    "HeadChoice": "model.options",
    "Settings": "embedding.settings",
    "SpotStore": "store.store",
    "ThresholdRule": "model.thresholds",
    "TrainOptions": "model.calibrated_ensemble",
    "__version__": "_version",
    "detect": "detection.detect",
    "embed": "embedding.embed",
    "evaluate": "evaluation.evaluate",
    "ingest": "ingestion.ingest",
    "load_detector": "detector.load",
    "train": "detector.train",
    "write_results": "results.write",
}


def __getattr__(name: str) -> Any:
    """Return a name of the interface, importing the module it lives in."""
    if name not in HOMES:
        raise AttributeError(f"module 'spacrd_core' has no attribute '{name}'")
    return getattr(import_module(f"spacrd_core.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return what completion offers."""
    return __all__
