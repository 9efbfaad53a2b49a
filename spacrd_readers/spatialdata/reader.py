"""SpatialData objects (.zarr): a table, the shapes or labels that it annotates, and an H&E, in one coordinate frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
from pydantic import Field, PositiveFloat

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Recognition, Section, Source, SpotShape
from spacrd_readers._base import CHOOSE_READER, first_names
from spacrd_readers.anndata.file import open_anndata
from spacrd_readers.anndata.spots import out_of_tissue
from spacrd_readers.spatialdata.coordinates import IDENTITY, choose_system
from spacrd_readers.spatialdata.counts import count_spots
from spacrd_readers.spatialdata.library import open_object
from spacrd_readers.spatialdata.own_section import OwnSection
from spacrd_readers.spatialdata.pieces import Pieces, outlines, place_pieces
from spacrd_readers.spatialdata.recognise import rejection_reason
from spacrd_readers.spatialdata.scale import Sizes, bin_width, find_unit
from spacrd_readers.spatialdata.slide import SlideFrame, SlideRequest, find_slide
from spacrd_readers.spatialdata.spots import SpotGroups, Unit, make_spots
from spacrd_readers.spatialdata.stated import centre_as_stated, stated_unit
from spacrd_readers.spatialdata.tables import Annotation, TableChoice, choose_table, read_annotation

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.spatialdata.stated import StatedUnit


class SpatialData:
    """Reads one section of a SpatialData object."""

    class Options(ComponentOptions):
        """Which section and image to read, how spots are made, and sizes that the object lacks."""

        table: str = Field("", description="Table to read from an object of several.")
        region: str = Field(
            "", description="Element that the table annotates, if there are several; 'all' joins them as one section."
        )
        coordinate_system: str = Field("", description="Coordinate system of the positions; 'global' by default.")
        counts: str = Field("", description="Matrix of raw counts: a layer's name, X or raw.")
        image: str = Field("", description="Image to use as slide; by default the finest H&E that holds the spots.")
        unit: Unit = Field(
            "spot", description="What a spot is: a square that sums bins or cells (spot), or one of them (cell)."
        )
        spot_um: PositiveFloat | None = Field(
            None, description="Width of a spot, in um; of squares by default 100, of bins 56."
        )
        spot_shape: SpotShape | None = Field(None, description="Shape of a spot: disc or square.")
        pitch_um: PositiveFloat | None = Field(None, description="Distance between neighbours on a lattice, in um.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is a SpatialData object with a table, by its structure only."""
        reason = rejection_reason(path)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section of an object.

        Raises
        ------
        InputError
            If the object is damaged, holds several sections, or lacks raw counts, positions or um.
        ConfigError
            If the library spatialdata is not installed, or the object lacks what an option names.
        """
        if reason := rejection_reason(path):
            raise UnrecognisedSection(f"{path} is not a section in SpatialData: {reason}", hint=CHOOSE_READER)
        if inputs.alignment:
            raise GeometryError(
                "SpatialData sections take no alignment: the object holds transformations", hint="omit --alignment"
            )
        table = choose_table(path, self.options.table, self.options.region)
        with open_anndata(table.path) as file:
            obs = file.table("obs")
            annotation = read_annotation(file, obs, self.options.region)
            with open_object(path, with_points=_counts_points(path, annotation)) as data:
                return self._section(path, data, table, file, obs, annotation, inputs)

    def _section(
        self,
        path: Path,
        data: Any,
        table: TableChoice,
        file: AnnDataFile,
        obs: pd.DataFrame,
        annotation: Annotation,
        inputs: ImageInputs,
    ) -> Section:
        options, elements = self.options, outlines(data, annotation)
        system = choose_system(data, list(elements.values()), options.coordinate_system, path)
        pieces = _in_tissue(place_pieces(file, data, annotation, elements, system, path), obs)
        own = OwnSection.from_file(file, obs, pieces)
        if own:
            spots, um_per_unit = own.spots(inputs.um_per_px)
        else:
            rows = obs.iloc[pieces.rows]
            pieces, stated = centre_as_stated(file, rows, pieces)
            stated = stated or stated_unit(data, rows, pieces, system, path)
            spots, um_per_unit = self._spots(path, rows, pieces, stated, annotation, table, inputs)
        counts = count_spots(file, pieces, spots, rows=len(obs), layer=options.counts, stored=own is not None)
        frame = find_slide(data, SlideRequest(path, system, pieces.xy, um_per_unit, inputs, options.image))
        sources = [Source.from_path("counts", table.path)]
        sources += [Source.from_path("positions", _element_path(path, name)) for name in pieces.elements]
        return Section(
            platform=own.platform if own else "spatialdata",
            counts=ad.AnnData(counts.matrix, obs=_in_px(spots.table, frame, um_per_unit), var=counts.var),
            um_per_px=frame.um_per_px,
            spot_um=spots.spot_um,
            spot_shape=spots.shape,
            pitch_um=spots.pitch_um,
            slide=frame.slide,
            sources=(*sources, *frame.sources),
            notes=(*table.notes, *annotation.notes, *pieces.notes, *spots.notes, *counts.notes, *frame.notes),
            sub_spots=spots.sub_spots,
            patient=own.patient if own else "",
        )

    def _spots(
        self,
        path: Path,
        rows: pd.DataFrame,
        pieces: Pieces,
        stated: StatedUnit | None,
        annotation: Annotation,
        table: TableChoice,
        inputs: ImageInputs,
    ) -> tuple[SpotGroups, float]:
        options = self.options
        bin_um = bin_width((table.name, *annotation.rows), rows)
        sizes = Sizes(inputs.um_per_px, options.spot_um, options.spot_shape, options.pitch_um, bin_um)
        scale, notes = find_unit(rows, pieces, sizes, stated, path)
        ids = _ids(rows, annotation.instances.iloc[pieces.rows])
        spots = make_spots(pieces, rows, ids, scale, unit=options.unit, spot_um=options.spot_um)
        return replace(spots, notes=(*notes, *spots.notes)), scale.um_per_px


def _counts_points(path: Path, annotation: Annotation) -> bool:
    """Return whether a region of a table is stored as points, as bins of Stereo-seq are; transcripts are not read."""
    return any(name and (path / "points" / name).is_dir() for name in annotation.rows)


def _in_tissue(pieces: Pieces, obs: pd.DataFrame) -> Pieces:
    outside = out_of_tissue(obs.iloc[pieces.rows])
    if not outside.any():
        return pieces
    names = obs.index[pieces.rows[outside]].tolist()
    return pieces.take(~outside, f"spots out of tissue, left out: {len(names)} ({first_names(names)})")


def _ids(rows: pd.DataFrame, instances: pd.Series[str]) -> pd.Index[str]:
    """Return the names of pieces: those of the table, unless it only numbers its rows and cells have named ids."""
    names = rows.index.to_series()
    numbered = names.str.fullmatch(r"\d+").all()
    named = instances.is_unique and not instances.str.fullmatch(r"\d+(\.0)?").all()
    return pd.Index(instances.to_numpy(dtype=object)) if numbered and named else rows.index


def _in_px(table: pd.DataFrame, frame: SlideFrame, um_per_unit: float) -> pd.DataFrame:
    if "x_px" in table and frame.to_px is IDENTITY:  # stored by SpaCRD: kept to the last digit
        return table
    xy = frame.to_px.apply(table[["x_um", "y_um"]].to_numpy(dtype=np.float64) / um_per_unit)
    return table.assign(x_px=xy[:, 0], y_px=xy[:, 1])


def _element_path(path: Path, name: str) -> Path:
    return next(path / kind / name for kind in ("shapes", "labels", "points") if (path / kind / name).exists())
