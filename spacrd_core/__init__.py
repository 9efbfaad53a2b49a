"""SpaCRD for notebooks and programs: the spot store and the steps as functions.

>>> from spacrd_core import SpotStore, embed, train, detect, evaluate, write_results

What every part of SpaCRD shares lies in the modules below: components by name, the store, embeddings, learning,
results. They are imported when they are used, so that a command which needs no torch loads none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacrd_core.detector.artifact import Detector
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.learning.calling import Calling
    from spacrd_core.learning.choices import CohortOptions, HeadChoice
    from spacrd_core.learning.thresholds import ThresholdRule
    from spacrd_core.learning.train import TrainOptions
    from spacrd_core.steps.detect import detect, load_detector
    from spacrd_core.steps.embed import embed
    from spacrd_core.steps.evaluate import Evaluation, evaluate
    from spacrd_core.steps.ingest import ingest
    from spacrd_core.steps.train import train
    from spacrd_core.steps.write import write_results
    from spacrd_core.store.store import SpotStore

__version__ = "0.1.0"

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
    "Calling": "learning.calling",
    "CohortOptions": "learning.choices",
    "Detector": "detector.artifact",
    "Evaluation": "steps.evaluate",
    "HeadChoice": "learning.choices",
    "Settings": "embedding.settings",
    "SpotStore": "store.store",
    "ThresholdRule": "learning.thresholds",
    "TrainOptions": "learning.train",
    "detect": "steps.detect",
    "embed": "steps.embed",
    "evaluate": "steps.evaluate",
    "ingest": "steps.ingest",
    "load_detector": "steps.detect",
    "train": "steps.train",
    "write_results": "steps.write",
}


def __getattr__(name: str) -> Any:
    """Return a name of the interface, importing the module it lives in."""
    if name not in HOMES:
        raise AttributeError(f"module 'spacrd_core' has no attribute '{name}'")
    return getattr(import_module(f"spacrd_core.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return what completion offers."""
    return __all__
