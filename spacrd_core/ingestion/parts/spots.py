"""Find the region of every spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.drawn_frame import in_full_resolution
from spacrd_core.labels.join import join_rows
from spacrd_core.labels.merged import rows_of_section
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.polygons import require_spots, spots_in_polygons
from spacrd_core.quoting import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_core.arrays import Array
    from spacrd_core.ingestion.parts.regions import Regions
    from spacrd_core.labels.join import JoinedRows
    from spacrd_core.labels.spot_table import LabelTable
    from spacrd_core.section.section import Section

MAX_SHOWN = 5


def regions_of_spots(section: Section, regions: Regions) -> tuple[Array, tuple[str, ...]]:
    """Return the index of every spot's region in ``regions.names``, -1 for none, and notes for the user.

    A spot is in the region that contains its centre. Of a table of bins or cells, it is in the region of at least half
    of its bins or cells, unless others are in another region.

    Raises
    ------
    LabelError
        If no spot is in a region, a spot is in two, or the file is evidently of another section.
    """
    source = regions.source
    in_region = _drawn if isinstance(source, Polygons) else _listed
    region, notes = in_region(section, source, regions)  # type: ignore[arg-type]
    if (region < 0).all():
        raise LabelError(f"no spot is in a region of {regions.path}", hint="check that --region is of this section")
    return region, (*source.notes, *notes, *_notes(regions, region))


def _drawn(section: Section, polygons: Polygons, regions: Regions) -> tuple[Array, tuple[str, ...]]:
    polygons, notes = in_full_resolution(section, polygons)
    hits = spots_in_polygons(section, polygons)
    require_spots(section, polygons, len(hits), option="--region")
    index = pd.Index(regions.names).get_indexer(pd.Index(polygons.values))
    hits = hits.assign(region=index[hits["polygon"]]).drop_duplicates(["spot", "region"])
    if hits["spot"].duplicated().any():
        raise _overlap_error(section, hits, regions)
    region = np.full(section.counts.n_obs, -1)
    region[hits["spot"]] = hits["region"]
    return region, notes


def _overlap_error(section: Section, hits: pd.DataFrame, regions: Regions) -> LabelError:
    twice = hits[hits["spot"].duplicated(keep=False)]
    spots = twice["spot"].unique()
    names = [regions.names[number] for number in sorted(twice["region"].unique())]
    return LabelError(
        f"{len(spots)} spots lie in more than one region of {regions.path} ({_shown(map(repr, names))}): "
        f"{_shown(section.counts.obs_names[spots])}",
        hint="draw the regions so that they do not overlap, or remove the name of one that outlines others",
    )


def _listed(section: Section, table: LabelTable, regions: Regions) -> tuple[Array, tuple[str, ...]]:
    table, section_notes = rows_of_section(section, table)
    joined = join_rows(section, table)
    texts = table.rows["value"].astype("category").cat  # a table of bins may have eleven million rows
    row_region = np.append(pd.Index(regions.names).get_indexer(texts.categories), -1)[texts.codes]
    known = (joined.indices >= 0) & (row_region >= 0)
    notes = (*section_notes, *joined.notes)
    if joined.sub_spots:
        region, mixed_notes = _by_majority(section, joined, row_region, known, regions)
        return region, (*notes, *mixed_notes)
    region = np.full(section.counts.n_obs, -1)
    region[joined.indices[known]] = row_region[known]
    return region, notes


def _by_majority(
    section: Section, joined: JoinedRows, row_region: Array, known: Array, regions: Regions
) -> tuple[Array, tuple[str, ...]]:
    """Return the region of every spot by that of its bins or cells, and a note on spots of several regions."""
    sub_spots = joined.sub_spots
    assert sub_spots is not None  # noqa: S101 - the caller has looked
    count, width = section.counts.n_obs, len(regions.names)
    spot = np.where(known, sub_spots.spots[joined.indices], -1)
    inside = spot >= 0
    tallies = np.bincount(spot[inside].astype(np.int64) * width + row_region[inside], minlength=count * width)
    tallies = tallies.reshape(count, width)
    total = np.bincount(sub_spots.spots[sub_spots.spots >= 0], minlength=count)
    mixed = (tallies > 0).sum(axis=1) > 1
    region = np.where((2 * tallies.max(axis=1) >= total) & (total > 0) & ~mixed, tallies.argmax(axis=1), -1)
    note = (
        f"{regions.path.name}: spots with {sub_spots.kind}s of several regions, left out: {mixed.sum()} "
        f"({_shown(section.counts.obs_names[mixed])})"
    )
    return region, (note,) if mixed.any() else ()


def _notes(regions: Regions, region: Array) -> Iterable[str]:
    name = regions.path.name
    if outside := int((region < 0).sum()):
        yield f"{name}: spots in no region, left out: {outside} of {len(region)}"
    if empty := [text for number, text in enumerate(regions.names) if not (region == number).any()]:
        yield f"{name}: regions without spots, left out: {listed(empty)}"


def _shown(names: Iterable[object]) -> str:
    texts = [shortened(name) for name in names]
    return ", ".join(texts[:MAX_SHOWN]) + (", ..." if len(texts) > MAX_SHOWN else "")
