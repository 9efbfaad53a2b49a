"""The predictions in a store, with the configuration of the detector that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from spacrd_core.config import mistakes
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.errors import CorruptStore

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.store.store import SpotStore


def read_predictions(store: SpotStore, section: str, key: str = "") -> tuple[pd.DataFrame, DetectorConfig]:
    """Return the spot table of a detector (the latest if no key is given) and the detector's configuration.

    Raises
    ------
    UnknownSection
        If there are none.
    CorruptStore
        If the configuration beside the table is damaged.
    """
    table, detector = store.predictions(section, key)
    try:
        return table, DetectorConfig.model_validate(detector)
    except ValidationError as error:
        raise CorruptStore(
            f"the detector of the predictions of section '{section}' is damaged: {'; '.join(mistakes(error)[:3])}",
            hint=f"spacrd store verify {store.path}",
        ) from error
