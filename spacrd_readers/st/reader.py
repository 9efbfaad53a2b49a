"""Legacy Spatial Transcriptomics: 100 um spots on a square lattice of 200 um (Stahl et al., Science 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import CountsError, GeometryError, InputError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Recognition, Section, SlideFile, Source
from spacrd_readers._base import CHOOSE_READER, MAX_UNMATCHED, first_names
from spacrd_readers.st.counts import read_counts
from spacrd_readers.st.files import StFiles, counts_rejection, find_files, folder_rejection
from spacrd_readers.st.lattice import PITCH_UM, spots_of_array, um_per_px
from spacrd_readers.st.slide import place_slide
from spacrd_readers.st.spots import read_spots

if TYPE_CHECKING:
    import anndata as ad
    import pandas as pd

SPOT_UM = 100.0


class St:
    """Reads a counts table with its spot table and its H&E image; or counts alone, without an image."""

    class Options(ComponentOptions):
        """Where to find the spot table if it is neither in her2st's folders nor beside the counts."""

        spots: Path | None = Field(None, description="Spot table (<S>_selection.tsv) of the section.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path looks like an ST counts table or a folder with one, by names and first lines."""
        try:
            reason = folder_rejection(path) if path.is_dir() else counts_rejection(path)
        except InputError as error:
            reason = str(error)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section of a counts table.

        Raises
        ------
        InputError
            If a file is missing or broken, or the files are from different sections.
        """
        if inputs.alignment:
            raise GeometryError(
                "ST sections take no alignment: their spot table holds px of the image", hint="omit --alignment"
            )
        if not path.is_dir() and (reason := counts_rejection(path)):
            raise UnrecognisedSection(f"{path} is not an ST counts table: {reason}", hint=CHOOSE_READER)
        files = find_files(path, spots=self.options.spots, inputs=inputs)
        counts, count_notes = read_counts(files.counts)
        spots, scale, spot_notes = _spots(files, counts, inputs.um_per_px)
        joined, join_notes = _join(counts, spots, files)
        slide, slide_notes = _slide(files, spots, scale, inputs)
        return Section(
            platform="st",
            counts=_with_positions(joined, spots, scale),
            um_per_px=scale,
            spot_um=SPOT_UM,
            spot_shape="disc",
            pitch_um=PITCH_UM,
            slide=slide,
            sources=_sources(files),
            notes=(*count_notes, *spot_notes, *join_notes, *slide_notes),
        )


def _spots(
    files: StFiles, counts: ad.AnnData, given_um_per_px: float | None
) -> tuple[pd.DataFrame, float, tuple[str, ...]]:
    """Return the spots, um/px and notes; without a spot table, full-resolution px are um unless um/px is given."""
    if files.spots is None:
        scale = given_um_per_px or 1.0
        spots, notes = spots_of_array(counts.obs, scale, files.counts)
        return spots, scale, notes
    spots, notes = read_spots(files.spots)
    scale, scale_notes = um_per_px(spots, given_um_per_px, files.spots)
    return spots, scale, (*notes, *scale_notes)


def _join(counts: ad.AnnData, spots: pd.DataFrame, files: StFiles) -> tuple[ad.AnnData, tuple[str, ...]]:
    """Return the counts of the spots with a position, in the order of the file, and notes on those left out.

    A real section can lack many partners on one side only: the files are refused if both sides do.
    """
    placed = counts.obs_names.isin(spots.index)
    unplaced, uncounted = counts.obs_names[~placed], spots.index.difference(counts.obs_names, sort=False)
    unmatched = min(len(unplaced) / len(placed), len(uncounted) / len(spots))
    if unmatched > MAX_UNMATCHED or not placed.any():
        raise CountsError(
            f"{files.counts} and {files.spots} are from different sections: {len(unplaced)} of {len(placed)} spots "
            f"with counts have no position and {len(uncounted)} of {len(spots)} positions have no counts",
            hint="use --set reader.spots=FILE",
        )
    notes = []
    if len(unplaced):
        order = counts.obs_names.to_numpy()
        counts = counts[placed].copy()
        counts.uns["counts_order"] = order  # label vectors without spot names include these rows
        notes.append(f"spots with counts but no position, left out: {len(unplaced)} ({first_names(unplaced)})")
    if len(uncounted):
        notes.append(f"positions without counts, left out: {len(uncounted)} ({first_names(uncounted)})")
    return counts, tuple(notes)


def _slide(
    files: StFiles, spots: pd.DataFrame, scale: float, inputs: ImageInputs
) -> tuple[SlideFile | None, tuple[str, ...]]:
    if files.image:
        return place_slide(files.image, spots, scale, inputs.image_scale)
    return None, ("no image was found; give one with --image FILE",) if inputs.with_image else ()


def _with_positions(counts: ad.AnnData, spots: pd.DataFrame, scale: float) -> ad.AnnData:
    """Return the counts with positions in ``obs``."""
    positions = spots.loc[counts.obs_names]
    counts.obs = positions.assign(x_um=positions["x_px"] * scale, y_um=positions["y_px"] * scale)
    return counts


def _sources(files: StFiles) -> tuple[Source, ...]:
    roles = (("counts", files.counts), ("positions", files.spots), ("image", files.image))
    return tuple(Source.from_path(role, path) for role, path in roles if path)
