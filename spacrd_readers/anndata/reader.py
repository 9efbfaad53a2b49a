"""AnnData files (.h5ad, .zarr): raw counts, ``obsm['spatial']`` and squidpy's ``uns['spatial']``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import anndata as ad
from pydantic import Field, PositiveFloat

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, InputError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Recognition, Section, Source, SpotShape
from spacrd_readers._base import CHOOSE_READER
from spacrd_readers.anndata.counts import read_counts
from spacrd_readers.anndata.file import open_anndata
from spacrd_readers.anndata.genes import read_features, read_genes
from spacrd_readers.anndata.positions import positions_key
from spacrd_readers.anndata.recognise import rejection_reason
from spacrd_readers.anndata.scale import SizeOverrides, find_scale
from spacrd_readers.anndata.select_section import select_section
from spacrd_readers.anndata.slide import find_slide
from spacrd_readers.anndata.spots import read_spots
from spacrd_readers.anndata.squares import is_tight, sum_into_squares, tight_notes
from spacrd_readers.anndata.stored_section import StoredSection, stored_genes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from scipy import sparse

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.spots import Spots
    from spacrd_readers.tenx.genes import Genes


class AnnData:
    """Reads one section of an AnnData file."""

    class Options(ComponentOptions):
        """Which section, matrix and image to read, and sizes that the file lacks."""

        library: str = Field(
            "",
            coerce_numbers_to_str=True,
            description="Section to read from a file of several (a key of uns['spatial'], or a sample).",
        )
        counts: str = Field("", description="Matrix of raw counts: a layer's name, X or raw.")
        image: str = Field("", description="Image of uns['spatial'] to use as slide; the finest by default.")
        unit: Literal["spot", "cell"] | None = Field(
            None,
            description="For cells, beads and bins: sum them in squares (spot), or use each as a spot (cell; default).",
        )
        spot_um: PositiveFloat | None = Field(
            None, description="Width of a spot, in um; of squares that sum cells, 100 by default."
        )
        spot_shape: SpotShape | None = Field(None, description="Shape of a spot: disc or square.")
        pitch_um: PositiveFloat | None = Field(None, description="Distance between neighbouring spots, in um.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is an AnnData file with spot positions, by its structure only."""
        try:
            with open_anndata(path) as file:
                reason = rejection_reason(file)
        except InputError as error:
            reason = str(error)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section of an AnnData file.

        Raises
        ------
        InputError
            If the file is damaged, or lacks raw counts, positions or um/px.
        """
        if inputs.alignment:
            raise GeometryError(
                "AnnData sections take no alignment: obsm['spatial'] holds px of the image", hint="omit --alignment"
            )
        with open_anndata(path) as file:
            if reason := rejection_reason(file):
                raise UnrecognisedSection(f"{path} is not a section in AnnData: {reason}", hint=CHOOSE_READER)
            return self._section(file, inputs)

    def _section(self, file: AnnDataFile, inputs: ImageInputs) -> Section:
        options, obs = self.options, file.table("obs")
        key = positions_key(file, options.image if inputs.with_image else "")
        selected = select_section(file, obs, options.library, key=key)
        stored = StoredSection.from_file(file, obs, selected.factors)
        spots = read_spots(file, obs, selected, key=key)
        sizes = SizeOverrides(inputs.um_per_px, options.spot_um, options.spot_shape, options.pitch_um)
        scale = stored.scale_with(sizes) if stored else find_scale(spots.table, selected.factors, sizes, file.path)
        slide, images, slide_notes = find_slide(
            file, selected, spots, inputs, image_name=options.image, um_per_px=scale.um_per_px
        )
        matrix_key, matrix, count_notes = read_counts(file, spots.rows, spots=len(obs), layer=options.counts)
        var = read_features(file, matrix_key, matrix.shape[1])
        genes = (stored_genes if stored else read_genes)(var, file.path)
        rows = obs.iloc[spots.rows]
        table, label_notes = (
            stored.spots(rows, scale, file.path) if stored else (_in_um(spots.table, scale.um_per_px), ())
        )
        summed = options.unit == "spot" and is_tight(scale) and not stored
        size_notes = () if summed else (*scale.notes, *tight_notes(scale, options.unit))
        section = Section(
            platform=stored.platform if stored else "anndata",
            counts=_counts(matrix, table, genes, spots),
            um_per_px=scale.um_per_px,
            spot_um=scale.spot_um,
            spot_shape=scale.spot_shape,
            pitch_um=scale.pitch_um,
            slide=slide,
            sources=(Source.from_path("counts", file.path), *images),
            notes=(*selected.notes, *spots.notes, *label_notes, *size_notes, *count_notes, *genes.notes, *slide_notes),
            patient=stored.patient if stored else "",
        )
        return sum_into_squares(section, options.spot_um) if summed else section


def _in_um(table: pd.DataFrame, um_per_px: float) -> pd.DataFrame:
    return table.assign(x_um=table["x_px"] * um_per_px, y_um=table["y_px"] * um_per_px)


def _counts(matrix: sparse.csr_matrix[Any], table: pd.DataFrame, genes: Genes, spots: Spots) -> ad.AnnData:
    expression = matrix if genes.keep.all() else matrix[:, genes.keep]
    counts = ad.AnnData(X=expression, obs=table, var=genes.var)
    if len(spots.order) > len(table):
        counts.uns["counts_order"] = spots.order  # label vectors without spot names include these rows
    return counts
