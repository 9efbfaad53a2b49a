"""Label spots by the polygons their centres lie in, and say how much of each spot those polygons cover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from spacrd_core.errors import GeometryError, LabelError
from spacrd_core.section.geometry import Affine, fit_affine, footprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spacrd_core.labels.qupath import Polygons
    from spacrd_core.labels.vocabulary import Vocabulary
    from spacrd_core.section.section import Section

PLAIN, MANY = 5.0, 10  # polygons that hold five times the tissue in another frame, by ten spots, were drawn in that one
PIECE = 30  # spots; an outline of 100,000 corners is cut into pieces so wide before single spots are cut by it


def label_by_polygons(
    section: Section, polygons: Polygons, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the label columns of all spots, and what the user should know.

    A centre in polygons of cancer and of normal is contested and has no label. A polygon without a meaning yields to a
    smaller one in it, for it may outline the whole tissue.

    Raises
    ------
    LabelError
        If no spot lies in a polygon, or the polygons were plainly given in um.
    """
    meanings = vocabulary.classify(pd.Series(polygons.values, dtype=object), polygons.path).to_numpy()
    polygons, of_frame = _in_full_resolution(section, polygons)
    centres = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    hits = _hits(centres, polygons.shapes)
    _require_spots(section, polygons, len(hits))
    hits["label"] = meanings[hits["polygon"]]
    hits["annotation"] = np.array(polygons.values, dtype=object)[hits["polygon"]]
    columns = _labelled(hits, len(centres))
    columns["label_overlap"] = _overlaps(section, polygons, meanings, columns["label"])
    notes = (*of_frame, *_unlabelled(polygons, columns, hits))
    return columns, notes


def _hits(centres: NDArray[np.float64], shapes: NDArray[np.object_]) -> pd.DataFrame:
    """Return which spots lie in which polygons, the smallest polygon of a spot first."""
    polygon, spot = shapely.STRtree(shapely.points(centres)).query(shapes, predicate="intersects")
    order = np.lexsort((polygon, shapely.area(shapes)[polygon], spot))
    return pd.DataFrame({"spot": spot[order], "polygon": polygon[order]})


def _labelled(hits: pd.DataFrame, count: int) -> pd.DataFrame:
    columns = hits.drop_duplicates("spot").set_index("spot")[["label", "annotation"]].reindex(range(count))
    kinds = hits.dropna(subset="label").groupby("spot")["label"].nunique()
    contested = kinds.index[kinds > 1]
    both = hits[hits["spot"].isin(contested)].groupby("spot")["annotation"]
    columns.loc[contested, "annotation"] = both.agg(lambda texts: " / ".join(sorted(set(texts))))
    columns.loc[contested, "label"] = None
    columns["annotation"] = columns["annotation"].fillna("")
    return columns.assign(label_contested=columns.index.isin(contested))


def _in_full_resolution(section: Section, polygons: Polygons) -> tuple[Polygons, tuple[str, ...]]:
    """Return the polygons in full-resolution px; those that plainly fit a smaller image were drawn on that."""
    slide = section.slide
    if slide is None or slide.scale == 1:
        return polygons, ()
    px, name = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float), slide.path.name
    found, fitting = len(_hits(px, polygons.shapes)), len(_hits(px * slide.scale, polygons.shapes))
    if not _plainly(fitting, found, slide.scale):
        note = f"polygons were read in full-resolution px, not in px of {name} ({slide.scale:.4g} each)"
        return polygons, (f"{polygons.path.name}: {note}",)
    enlarged = shapely.transform(polygons.shapes, lambda corners: corners / slide.scale)
    note = f"polygons were read in px of {name}, which they fit, not in full-resolution px"
    return replace(polygons, shapes=enlarged), (f"{polygons.path.name}: {note}",)


def _plainly(fitting: int, found: int, scale: float) -> bool:
    """Whether polygons hold far more tissue in a frame of another scale than in full-resolution px."""
    return fitting * scale**2 > PLAIN * found and (fitting >= MANY or not found)


def _require_spots(section: Section, polygons: Polygons, found: int) -> None:
    obs = section.counts.obs
    px, um = (obs[[f"x_{unit}", f"y_{unit}"]].to_numpy(dtype=float) for unit in ("px", "um"))
    if _plainly(len(_hits(um, polygons.shapes)), found, section.um_per_px):
        raise LabelError(
            f"the polygons of {polygons.path} fit the um of this section, not its full-resolution px",
            hint="give them in px of the image, as QuPath exports them; or were they drawn on another section?",
        )
    if not found:
        theirs, ours = _extent(shapely.total_bounds(polygons.shapes)), _extent([*px.min(axis=0), *px.max(axis=0)])
        raise LabelError(
            f"no spot lies in a polygon of {polygons.path}: the polygons span {theirs}, the spots {ours} "
            "(full-resolution px)",
            hint="were they drawn on the image of this section? check --labels",
        )


def _extent(bounds: Sequence[float]) -> str:
    left, top, right, bottom = bounds
    return f"x {left:.6g} to {right:.6g}, y {top:.6g} to {bottom:.6g}"


def _overlaps(
    section: Section, polygons: Polygons, meanings: NDArray[np.object_], labels: pd.Series[str]
) -> NDArray[np.float64]:
    """Return the share of every labelled spot's footprint inside polygons of its label; NaN where it has none."""
    px = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    to_um = _to_um(section, px)
    overlaps = np.full(len(px), np.nan)
    for label in ("cancer", "normal"):
        spots = np.flatnonzero(labels == label)
        if len(spots):
            drawn = shapely.transform(shapely.union_all(polygons.shapes[meanings == label]), to_um.apply)
            overlaps[spots] = _covered(to_um.apply(px[spots]), drawn, section)
    return overlaps


def _to_um(section: Section, px: NDArray[np.float64]) -> Affine:
    """Return the map from px to um, in which square spots stand upright; spots in one line do not tell how it turns."""
    try:
        return fit_affine(px, section.counts.obs[["x_um", "y_um"]].to_numpy(dtype=float))
    except GeometryError:
        return Affine(np.eye(2) * section.um_per_px, np.zeros(2), 0.0)


def _covered(centres: NDArray[np.float64], drawn: shapely.Geometry, section: Section) -> NDArray[np.float64]:
    """Return the share of each spot inside polygons; only spots that reach an edge are cut, by a piece of it."""
    reach = section.spot_um * np.sqrt(0.5)
    edges = shapely.boundary(shapely.get_parts(drawn))
    _, spots = shapely.STRtree(shapely.points(centres)).query(edges, predicate="dwithin", distance=reach)
    near = np.unique(spots)
    prints = footprints(centres[near], section.spot_um, section.spot_shape)
    tiles, tile = np.unique(np.floor(centres[near] / (PIECE * reach)), axis=0, return_inverse=True)
    corners = np.hstack([tiles * PIECE - 1, (tiles + 1) * PIECE + 1]) * reach
    pieces = shapely.intersection(drawn, shapely.box(*corners.T))
    inside = shapely.area(shapely.intersection(prints, pieces[tile.ravel()]))
    covered = np.ones(len(centres))
    covered[near] = np.minimum(inside / shapely.area(prints), 1.0)
    return covered


def _unlabelled(polygons: Polygons, columns: pd.DataFrame, hits: pd.DataFrame) -> tuple[str, ...]:
    unknown = int(columns["label"].isna().sum())
    if not unknown:
        return ()
    outside, contested = len(columns) - hits["spot"].nunique(), int(columns["label_contested"].sum())
    why = f"{outside} in no polygon, {contested} contested, {unknown - outside - contested} undetermined"
    name, drawn = polygons.path.name, set(columns["label"])
    undrawn = [label for label in ("cancer", "normal") if label not in drawn]
    return (
        f"{name}: {unknown} of {len(columns)} spots have no label ({why})",
        *(
            f"{name}: no spot is {label}; spots in no polygon are unknown, so draw {label} tissue too"
            for label in undrawn
        ),
    )
