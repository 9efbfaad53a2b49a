"""Suggested spots for QuPath: annotations of a class of their own, until a pathologist gives them another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.labels.own_export import MEASUREMENT, SUGGESTION
from spacrd_core.results.files.geojson import DESCRIPTION_KEY, feature_of, to_image_px, write_features
from spacrd_core.results.result import LABEL_NAMES, LabelStyle
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from spacrd_core.results.files.geojson import Feature
    from spacrd_core.results.result import SectionResult

STYLE = LabelStyle(SUGGESTION, (255, 220, 0))
MEASUREMENT_NAMES = {
    "rank": "SpaCRD rank",
    "probability": MEASUREMENT,
    "uncertainty": "SpaCRD uncertainty",
    "disagreement": "SpaCRD disagreement",
    "ood": "SpaCRD out of distribution",
}


def write_suggested_geojson(result: SectionResult, suggested: pd.DataFrame, path: Path) -> None:
    """Write the suggested spots as annotations in px of the user's image, with the call and the reason.

    They have the class ``SpaCRD suggestion``, not that of the call: a spot that nobody has classified is not a label.
    """
    write_features(_features(result, suggested), path)


def _features(result: SectionResult, suggested: pd.DataFrame) -> Iterator[Feature]:
    shapes = footprints(suggested[["x_px", "y_px"]].to_numpy(), result.spot_px, result.spot_shape, angle=result.angle)
    shapes = to_image_px(result, shapes, mode="pointwise")
    values = suggested[list(MEASUREMENT_NAMES)].astype(float).rename(columns=MEASUREMENT_NAMES).to_dict("records")
    rows = zip(suggested.index, suggested["label"], suggested["reason"], shapes, values, strict=True)
    for spot, label, reason, shape, measurements in rows:
        feature = feature_of(result, "annotation", str(spot), STYLE, shape, measurements)
        called = f"called {LABEL_NAMES[label].lower()}, probability {measurements[MEASUREMENT]:.2f}"
        feature["properties"]["metadata"] = {DESCRIPTION_KEY: f"{called}: {reason}"}
        yield feature
