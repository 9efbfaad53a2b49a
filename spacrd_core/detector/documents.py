"""The files of a detector for readers: model card, training curve and reliability diagram.

They need matplotlib and the Hub's library, so this module is imported when a detector is saved, not when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.detector.files import CARD_FILE, CURVE_FILE, RELIABILITY_FILE
from spacrd_core.detector.model_card import model_card
from spacrd_core.detector.reliability_diagram import reliability_png
from spacrd_core.detector.training_curve import curve_png

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.detector.config import DetectorConfig


def detector_documents(config: DetectorConfig, metrics: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of each file by name; there is no reliability diagram if no patient was held out."""
    reliability = metrics["reliability"]
    return {
        CURVE_FILE: curve_png(metrics, {section.id: section.patient for section in config.trained_on}),
        **({RELIABILITY_FILE: reliability_png(reliability)} if reliability else {}),
        CARD_FILE: model_card(config, metrics).encode(),
    }
