"""Legacy Spatial Transcriptomics: 100 um spots on a square lattice of 200 um (Stahl et al., Science 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import CountsError, GeometryError, InputError, UnrecognisedSection
from spacrd_core.section.section import Given, Section, SlideFile, Source, Verdict
from spacrd_readers.st.counts import read_counts, some
from spacrd_readers.st.files import StFiles, find_files, why_no_folder, why_not_counts
from spacrd_readers.st.slide import place_slide
from spacrd_readers.st.spots import PITCH_UM, read_spots, um_per_px

if TYPE_CHECKING:
    import anndata as ad
    import pandas as pd

SPOT_UM = 100.0
STRANGERS = 0.1  # counts and spots of one section do not both have more than this share of spots without a partner


class St:
    """Reads a counts table (TSV) with its spot table and, where there is one, its H&E image."""

    class Options(ComponentOptions):
        """Where to look when the files are not in her2st's folders or side by side."""

        spots: Path | None = Field(None, description="Spot table (<S>_selection.tsv) of the section.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Verdict:
        """Return whether a path looks like an ST counts table or a folder with one, by names and first lines."""
        try:
            reason = why_no_folder(path) if path.is_dir() else why_not_counts(path)
        except InputError as error:
            reason = str(error)
        return Verdict(not reason, reason)

    def read(self, path: Path, given: Given) -> Section:
        """Return the section of a counts table.

        Raises
        ------
        InputError
            If a file is missing, broken, or does not belong to the others.
        """
        if given.alignment:
            raise GeometryError(
                "ST sections take no alignment: their spot table holds px of the image", hint="leave it out"
            )
        if not path.is_dir() and (reason := why_not_counts(path)):
            raise UnrecognisedSection(
                f"{path} is no ST counts table: {reason}", hint="choose another reader with --reader"
            )
        files = find_files(path, spots=self.options.spots, given=given)
        counts, of_counts = read_counts(files.counts)
        spots, of_spots = read_spots(files.spots)
        scale, of_scale = um_per_px(spots, given.um_per_px, files.spots)
        joined, of_join = _join(counts, spots, files)
        slide, of_slide = _slide(files, spots, scale, given)
        return Section(
            platform="st",
            counts=_placed(joined, spots, scale),
            um_per_px=scale,
            spot_um=SPOT_UM,
            spot_shape="disc",
            pitch_um=PITCH_UM,
            slide=slide,
            sources=_sources(files),
            notes=(*of_counts, *of_spots, *of_scale, *of_join, *of_slide),
        )


def _join(counts: ad.AnnData, spots: pd.DataFrame, files: StFiles) -> tuple[ad.AnnData, tuple[str, ...]]:
    """Return the counts of the spots whose position is known, in the order of the file, and who was left out."""
    known = counts.obs_names.isin(spots.index)
    lost, uncounted = counts.obs_names[~known], spots.index.difference(counts.obs_names, sort=False)
    strangers = min(len(lost) / len(known), len(uncounted) / len(spots))
    if strangers > STRANGERS or not known.any():
        raise CountsError(
            f"{files.counts} and {files.spots} are not of one section: {len(lost)} of {len(known)} spots with counts "
            f"have no position and {len(uncounted)} of {len(spots)} positions have no counts",
            hint="--set reader.spots=FILE",
        )
    notes = []
    if len(lost):
        order = counts.obs_names.to_numpy()
        counts = counts[known].copy()
        counts.uns["counts_order"] = order  # bare label vectors count these rows too
        notes.append(f"spots with counts but no position, left out: {len(lost)} ({some(lost)})")
    if len(uncounted):
        notes.append(f"positions without counts, left out: {len(uncounted)} ({some(uncounted)})")
    return counts, tuple(notes)


def _slide(files: StFiles, spots: pd.DataFrame, scale: float, given: Given) -> tuple[SlideFile | None, tuple[str, ...]]:
    if files.image:
        return place_slide(files.image, spots, scale, given.image_scale)
    return None, ("no image was found; --image FILE gives one",) if given.with_image else ()


def _placed(counts: ad.AnnData, spots: pd.DataFrame, scale: float) -> ad.AnnData:
    """Return the counts with positions in ``obs``."""
    places = spots.loc[counts.obs_names]
    counts.obs = places.assign(x_um=places["x_px"] * scale, y_um=places["y_px"] * scale)
    return counts


def _sources(files: StFiles) -> tuple[Source, ...]:
    roles = (("counts", files.counts), ("positions", files.spots), ("image", files.image))
    return tuple(Source.of(role, path) for role, path in roles if path)
