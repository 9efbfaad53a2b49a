"""What a section says of itself, spot by spot: a second opinion on a detector's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.cohort.section_data import load_sections
from spacrd_core.devices import one_thread
from spacrd_core.errors import DetectorError
from spacrd_core.model.reading import read_by_prior
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_evidence

if TYPE_CHECKING:
    from spacrd_core.detector.detector import Detector
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def second_opinion(
    store: SpotStore, entry: SectionEntry, detector: Detector, *, stain_key: str = ""
) -> pd.Series[float] | None:
    """Return the probability of cancer of every spot by the section's own evidence; labels are not read.

    None if the section says nothing of itself, has no epithelium, or the detector is the built-in one, which says the
    same. ``stain_key`` is the recipe of the staining features in the store.
    """
    if detector.trained is None:
        return None
    record = detector.config.prior
    (data,) = load_sections(store, [entry], stain_key=stain_key)
    with one_thread():
        data = with_evidence(data, record.lists if record else carcinoma())
    if data.evidence is None or data.evidence.epithelium.answer == "none":
        return None
    try:
        return pd.Series(read_by_prior(data, detector.prior or PriorOptions()).probability, index=data.spot_ids)
    except DetectorError:  # neither genes of the lists nor an image
        return None
