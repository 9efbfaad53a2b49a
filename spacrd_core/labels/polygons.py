"""Label spots by the polygons that contain their centres, with the fraction of each spot that they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from spacrd_core.errors import LabelError
from spacrd_core.labels.drawn_frame import count_hits, fits_evidently, in_full_resolution
from spacrd_core.labels.px_and_um import px_to_um
from spacrd_core.labels.tangles import require_untangled
from spacrd_core.labels.word_notes import word_notes
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spacrd_core.labels.outlines import Polygons
    from spacrd_core.labels.vocabulary import Vocabulary
    from spacrd_core.section.section import Section

TILE_SPOTS = 30  # width of the tiles into which outlines of 100,000 corners are cut before they are cut by single spots


def label_by_polygons(
    section: Section, polygons: Polygons, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the label columns of all spots, and notes for the user.

    A centre in polygons of cancer and of normal is contested and has no label. A smaller polygon takes precedence over
    a larger one without a meaning, which may outline the whole tissue.

    Raises
    ------
    LabelError
        If no spot is in a polygon, or the polygons are evidently in um.
    """
    values = pd.Series(polygons.values, dtype=object)
    classified = vocabulary.classify(values, polygons.path)
    understood = word_notes(values, classified, vocabulary, polygons.path, unit="polygons")
    meanings = classified.to_numpy()
    polygons, frame_notes = in_full_resolution(section, polygons)
    hits = spots_in_polygons(section, polygons)
    require_spots(section, polygons, len(hits), option="--labels")
    hits["label"] = meanings[hits["polygon"]]
    hits["annotation"] = np.array(polygons.values, dtype=object)[hits["polygon"]]
    columns = _label_columns(hits, section.counts.n_obs)
    columns["label_overlap"] = _overlaps(section, polygons, meanings, columns["label"])
    notes = (*understood, *frame_notes, *_unlabelled_notes(polygons, columns, hits))
    return columns, notes


def spots_in_polygons(section: Section, polygons: Polygons) -> pd.DataFrame:
    """Return the pairs of spot and polygon that contains its centre, smallest polygon first.

    Raises
    ------
    LabelError
        If the polygons cross each other too often.
    """
    centres, shapes = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float), polygons.shapes
    require_untangled(shapes, polygons.path)
    polygon, spot = shapely.STRtree(shapely.points(centres)).query(shapes, predicate="intersects")
    order = np.lexsort((polygon, shapely.area(shapes)[polygon], spot))
    return pd.DataFrame({"spot": spot[order], "polygon": polygon[order]})


def _label_columns(hits: pd.DataFrame, count: int) -> pd.DataFrame:
    columns = hits.drop_duplicates("spot").set_index("spot")[["label", "annotation"]].reindex(range(count))
    kinds = hits.dropna(subset="label").groupby("spot")["label"].nunique()
    contested = kinds.index[kinds > 1]
    both = hits[hits["spot"].isin(contested)].groupby("spot")["annotation"]
    columns.loc[contested, "annotation"] = both.agg(lambda texts: " / ".join(sorted(set(texts))))
    columns.loc[contested, "label"] = None
    columns["annotation"] = columns["annotation"].fillna("")
    return columns.assign(label_contested=columns.index.isin(contested))


def require_spots(section: Section, polygons: Polygons, hits: int, *, option: str) -> None:
    """Raise a LabelError if no spot is in a polygon, or the polygons are evidently in um."""
    obs = section.counts.obs
    px, um = (obs[[f"x_{unit}", f"y_{unit}"]].to_numpy(dtype=float) for unit in ("px", "um"))
    if polygons.unit == "px" and fits_evidently(count_hits(um, polygons.shapes), hits, section.um_per_px):
        raise LabelError(
            f"the polygons of {polygons.path} fit the um of this section, not its full-resolution px",
            hint="give them in px of the image, as QuPath exports them, and check that they are from this section",
        )
    if not hits:
        drawn, spots = _extent(shapely.total_bounds(polygons.shapes)), _extent([*px.min(axis=0), *px.max(axis=0)])
        raise LabelError(
            f"no spot is in a polygon of {polygons.path}: the polygons span {drawn}, the spots {spots} "
            "(full-resolution px)",
            hint=f"check that {option} was drawn on the image of this section",
        )


def _extent(bounds: Sequence[float]) -> str:
    left, top, right, bottom = bounds
    return f"x {left:.6g} to {right:.6g}, y {top:.6g} to {bottom:.6g}"


def _overlaps(
    section: Section, polygons: Polygons, meanings: NDArray[np.object_], labels: pd.Series[str]
) -> NDArray[np.float64]:
    """Return the fraction of every labelled spot's footprint inside polygons of its label; NaN without a label."""
    px = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    to_um = px_to_um(section)
    overlaps = np.full(len(px), np.nan)
    for label in ("cancer", "normal"):
        spots = np.flatnonzero(labels == label)
        if len(spots):
            outline = shapely.transform(shapely.union_all(polygons.shapes[meanings == label]), to_um.apply)
            overlaps[spots] = _covered(to_um.apply(px[spots]), outline, section)
    return overlaps


def _covered(centres: NDArray[np.float64], outline: shapely.Geometry, section: Section) -> NDArray[np.float64]:
    """Return the fraction of each spot inside an outline; only spots near an edge are cut, by a tile of the outline."""
    radius = section.spot_um * np.sqrt(0.5)
    edges = shapely.boundary(shapely.get_parts(outline))
    _, spots = shapely.STRtree(shapely.points(centres)).query(edges, predicate="dwithin", distance=radius)
    near = np.unique(spots)
    spot_shapes = footprints(centres[near], section.spot_um, section.spot_shape)
    tiles, tile = np.unique(np.floor(centres[near] / (TILE_SPOTS * radius)), axis=0, return_inverse=True)
    corners = np.hstack([tiles * TILE_SPOTS - 1, (tiles + 1) * TILE_SPOTS + 1]) * radius
    pieces = shapely.intersection(outline, shapely.box(*corners.T))
    inside = shapely.area(shapely.intersection(spot_shapes, pieces[tile.ravel()]))
    covered = np.ones(len(centres))
    covered[near] = np.minimum(inside / shapely.area(spot_shapes), 1.0)
    return covered


def _unlabelled_notes(polygons: Polygons, columns: pd.DataFrame, hits: pd.DataFrame) -> tuple[str, ...]:
    unlabelled = int(columns["label"].isna().sum())
    if not unlabelled:
        return ()
    outside, contested = len(columns) - hits["spot"].nunique(), int(columns["label_contested"].sum())
    reasons = f"{outside} in no polygon, {contested} contested, {unlabelled - outside - contested} undetermined"
    name, labels = polygons.path.name, set(columns["label"])
    absent = [label for label in ("cancer", "normal") if label not in labels]
    return (
        f"{name}: {unlabelled} of {len(columns)} spots have no label ({reasons})",
        *(
            f"{name}: no spot is {label}; spots outside polygons are unknown, so annotate {label} tissue as well"
            for label in absent
        ),
    )
