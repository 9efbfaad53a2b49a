"""Label spots by the class of a mask at their centre, with the fraction of each spot that has its label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.mask_frame import place_mask
from spacrd_core.labels.px_and_um import um_to_px
from spacrd_core.labels.vocabulary import fold
from spacrd_core.labels.word_notes import word_notes
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.labels.mask import Mask
    from spacrd_core.labels.mask_frame import Placement
    from spacrd_core.labels.vocabulary import Vocabulary
    from spacrd_core.section.section import Section

SAMPLES = 15  # points across a spot
BACKGROUND = ("0", "#000000", "#ffffff")


def label_by_mask(section: Section, mask: Mask, vocabulary: Vocabulary) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the label columns of all spots, and notes for the user.

    Raises
    ------
    LabelError
        If no option says which values mean cancer, the mask does not have the frame of the slide, or no spot is in it.
    """
    mask = _named_as_given(mask, vocabulary)
    meanings = _meanings(mask, vocabulary)
    placement = place_mask(section, mask)
    obs = section.counts.obs
    centres = _codes(mask, placement.in_mask(obs[["x_px", "y_px"]].to_numpy(dtype=float)))
    if (centres < 0).all():
        raise LabelError(f"no spot is in the mask {mask.path}", hint="check that it is the mask of this section")
    label, values = _take(meanings, centres, None), _take(np.array(mask.values, dtype=object), centres, "")
    overlaps = _overlaps(section, mask, meanings, placement, label)
    columns = pd.DataFrame({"label": label, "annotation": values, "label_contested": False, "label_overlap": overlaps})
    words = word_notes(columns["annotation"], columns["label"], vocabulary, mask.path, unit="spots")
    unlabelled = _unlabelled_notes(mask, label, centres)
    return columns, (*words, placement.note, *_background_notes(mask, meanings), *unlabelled)


def _named_as_given(mask: Mask, vocabulary: Vocabulary) -> Mask:
    """Return a mask with the colours of its palette as values, if the options name one of them."""
    given = {fold(text) for text in (*vocabulary.positive, *vocabulary.ignore)}
    return replace(mask, values=mask.colours) if given & set(mask.colours) else mask


def _meanings(mask: Mask, vocabulary: Vocabulary) -> Array:
    if not vocabulary.positive:
        found = listed(
            f"{value or 'transparent'} ({share:.1%})" for value, share in zip(mask.values, mask.shares, strict=True)
        )
        raise LabelError(
            f"the mask {mask.path} has the values {found}, and no option says which mean cancer",
            hint="--positive VALUE for cancer, --ignore VALUE for px that are not annotated; others are normal",
        )
    meanings: Array = vocabulary.classify(pd.Series(mask.values, dtype=object), mask.path).to_numpy(dtype=object)
    return meanings


def _codes(mask: Mask, points: Array) -> Array:
    """Return the code at points in px of the mask; -1 outside it."""
    column, row = np.floor(points).astype(np.int64).T
    height, width = mask.codes.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return np.where(inside, mask.codes[np.where(inside, row, 0), np.where(inside, column, 0)].astype(np.int64), -1)


def _take(values: Array, codes: Array, outside: object) -> Array:
    taken: Array = np.append(values, np.array([outside], dtype=object))[codes]
    return taken


def _overlaps(section: Section, mask: Mask, meanings: Array, placement: Placement, labels: Array) -> Array:
    """Return the fraction of every labelled spot's footprint with its label; NaN without a label."""
    obs = section.counts.obs
    px = obs[["x_px", "y_px"]].to_numpy(dtype=float)
    to_px = um_to_px(section)
    overlaps = np.zeros(len(obs))
    offsets = _footprint_points(section)
    for offset in offsets:
        points = px + offset @ to_px.matrix
        overlaps += _take(meanings, _codes(mask, placement.in_mask(points)), None) == labels
    return np.where(pd.isna(labels), np.nan, overlaps / len(offsets))


def _footprint_points(section: Section) -> Array:
    """Return points that cover a spot evenly, as um from its centre."""
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    points = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    inside = np.linalg.norm(points, axis=1) <= 0.5 if section.spot_shape == "disc" else np.ones(len(points), dtype=bool)
    covered: Array = points[inside] * section.spot_um
    return covered


def _background_notes(mask: Mask, meanings: Array) -> tuple[str, ...]:
    normal = [value for value, meaning in zip(mask.values, meanings, strict=True) if meaning == "normal"]
    background = [value for value in normal if value in BACKGROUND]
    if not background:
        return ()
    values, remedy = ", ".join(background), f"--ignore '{background[0]}'"
    return (f"{mask.path.name}: {values} counts as normal; if it means not annotated, {remedy}",)


def _unlabelled_notes(mask: Mask, labels: Array, centres: Array) -> tuple[str, ...]:
    unlabelled, outside = int(pd.isna(labels).sum()), int((centres < 0).sum())
    if not unlabelled:
        return ()
    reasons = f"{outside} outside the mask, {unlabelled - outside} undetermined"
    return (f"{mask.path.name}: {unlabelled} of {len(labels)} spots have no label ({reasons})",)
