"""The spots of each section that are most worth a pathologist's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.cohort.section_data import UNKNOWN, label_values
from spacrd_core.detection.detect import detect
from spacrd_core.detector.load import as_detector
from spacrd_core.detector.predictions import read_predictions
from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import decision_of
from spacrd_core.suggestion.choose import choose_spread
from spacrd_core.suggestion.reasons import reasons
from spacrd_core.suggestion.second_opinion import second_opinion

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.detector import Detector
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

DEFAULT_COUNT = 20


def suggest(
    store: SpotStore,
    detector: Detector | str | Path,
    *,
    sections: SectionNames = None,
    count: int = DEFAULT_COUNT,
    device: str = "auto",
    plugins: Plugins | None = None,
    track: Track = silent,
) -> dict[str, pd.DataFrame]:
    """Return the spots of every section (default: all) that are most worth a pathologist's look, the best first.

    >>> suggested = suggest(store, "detector", sections=["S3"], count=3)["S3"]

    They are spots without a label that are close to the threshold or that the section's own genes and H&E judge
    otherwise, spread over the tissue. A table has the index ``spot_id`` and the columns ``rank``, ``x_um``, ``y_um``,
    ``x_px``, ``y_px``, ``probability``, ``label`` (the call), ``ood``, ``uncertainty``, ``disagreement``, ``score`` and
    ``reason``; it is empty if every spot has a label. Sections that the detector has not called are called first.

    Raises
    ------
    ConfigError
        If ``count`` is less than 1.
    """
    if count < 1:
        raise ConfigError(f"the number of suggested spots must be 1 or more, not {count}", hint="--spots 20")
    plugins = plugins or load_plugins()
    detector = as_detector(detector, device=device, plugins=plugins, track=track)
    entries = store.choose(sections)
    if missing := [entry.id for entry in entries if detector.config.key not in entry.predictions]:
        detect(store, detector, sections=missing, device=device, plugins=plugins, in_memory=False, track=track)
    stain_key = ""
    if detector.config.image_dim:
        stain_key = embed_staining(store, entries, device=device, plugins=plugins, track=track)
    return {
        entry.id: _suggest(store, entry, detector, count, stain_key)
        for entry in track(entries, "choosing spots", len(entries))
    }


def _suggest(store: SpotStore, entry: SectionEntry, detector: Detector, count: int, stain_key: str) -> pd.DataFrame:
    spots, _ = read_predictions(store, entry.id, detector.config.key)
    adata = store.section(entry.id)
    own = second_opinion(store, entry, detector, stain_key=stain_key)
    opinion = None if own is None else own[spots.index].to_numpy()
    facts = reasons(spots, decision_of(entry.id, spots).threshold, opinion)
    positions = adata.obs.loc[spots.index, ["x_um", "y_um", "x_px", "y_px"]].astype(float)
    table = pd.concat([positions, spots[["probability", "label", "ood"]], facts], axis=1)
    unlabelled = pd.Series(label_values(adata) == UNKNOWN, index=adata.obs_names)[spots.index].to_numpy()
    table = table[unlabelled & spots["top_modality"].notna().to_numpy()]  # nothing was measured of the others
    chosen = choose_spread(
        table["score"].to_numpy(), table[["x_um", "y_um"]].to_numpy(), count, pitch_um=entry.pitch_um
    )
    table = table.iloc[chosen]
    table.insert(0, "rank", range(1, len(table) + 1))
    table.attrs = {}
    return table
