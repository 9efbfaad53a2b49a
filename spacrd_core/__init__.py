"""SpaCRD for notebooks and programs: the spot store, and the commands as functions.

>>> from spacrd_core import SpotStore, embed, train, detect, evaluate, write_results

The modules below are imported on first use, so that a command that does not need torch does not load it.
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
    from spacrd_core.ingestion.ingest import ingest, ingest_parts
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.model.options import HeadOptions
    from spacrd_core.results.plot import plot_section
    from spacrd_core.results.section_warnings import section_warnings
    from spacrd_core.results.write import write_results
    from spacrd_core.store.store import SpotStore
    from spacrd_core.suggestion.suggest import suggest

__all__ = [
    "CohortOptions",
    "Detector",
    "Evaluation",
    "HeadOptions",
    "Settings",
    "SpotStore",
    "TrainOptions",
    "__version__",
    "detect",
    "embed",
    "evaluate",
    "ingest",
    "ingest_parts",
    "load_detector",
    "plot_section",
    "section_warnings",
    "suggest",
    "train",
    "write_results",
]

MODULES = {
    "CohortOptions": "cohort.options",
    "Detector": "detector.detector",
    "Evaluation": "evaluation.evaluate",
    "HeadOptions": "model.options",
    "Settings": "embedding.settings",
    "SpotStore": "store.store",
    "TrainOptions": "model.calibrated_ensemble",
    "__version__": "_version",
    "detect": "detection.detect",
    "embed": "embedding.embed",
    "evaluate": "evaluation.evaluate",
    "ingest": "ingestion.ingest",
    "ingest_parts": "ingestion.ingest",
    "load_detector": "detector.load",
    "plot_section": "results.plot",
    "section_warnings": "results.section_warnings",
    "suggest": "suggestion.suggest",
    "train": "detector.train",
    "write_results": "results.write",
}


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module."""
    if name not in MODULES:
        raise AttributeError(f"module 'spacrd_core' has no attribute '{name}'")
    return getattr(import_module(f"spacrd_core.{MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return __all__
