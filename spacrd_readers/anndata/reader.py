"""AnnData objects (.h5ad, .zarr): raw counts, ``obsm['spatial']`` and, as squidpy keeps it, ``uns['spatial']``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata as ad
from pydantic import Field, PositiveFloat

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, InputError, UnrecognisedSection
from spacrd_core.section.section import Given, Section, Source, SpotShape, Verdict
from spacrd_readers.anndata.counts import read_counts
from spacrd_readers.anndata.file import open_anndata
from spacrd_readers.anndata.genes import read_features, read_genes
from spacrd_readers.anndata.recognise import why_not
from spacrd_readers.anndata.scale import Sizes, find_scale
from spacrd_readers.anndata.select_section import choose_library
from spacrd_readers.anndata.slide import find_slide
from spacrd_readers.anndata.spots import read_spots
from spacrd_readers.anndata.stored_section import Own, own_genes

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
        """What to read where an object holds more than one, and the sizes it does not say."""

        library: str = Field("", description="Section to read of an object with several (a key of uns['spatial']).")
        counts: str = Field("", description="Matrix of raw counts: a layer's name, X or raw.")
        image: str = Field("", description="Picture of uns['spatial'] to take as slide; the finest by default.")
        spot_um: PositiveFloat | None = Field(None, description="Width of a spot, um.")
        spot_shape: SpotShape | None = Field(None, description="disc or square.")
        pitch_um: PositiveFloat | None = Field(None, description="Distance between neighbouring spots, um.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Verdict:
        """Return whether a path is an AnnData file with positions of spots, by its structure alone."""
        try:
            with open_anndata(path) as file:
                reason = why_not(file)
        except InputError as error:
            reason = str(error)
        return Verdict(not reason, reason)

    def read(self, path: Path, given: Given) -> Section:
        """Return the section of an AnnData file.

        Raises
        ------
        InputError
            If the file is damaged, or lacks raw counts, positions or um/px.
        """
        if given.alignment:
            raise GeometryError(
                "AnnData sections take no alignment: obsm['spatial'] holds px of the image", hint="leave it out"
            )
        with open_anndata(path) as file:
            if reason := why_not(file):
                raise UnrecognisedSection(
                    f"{path} is no section in AnnData: {reason}", hint="choose another reader with --reader"
                )
            return self._section(file, given)

    def _section(self, file: AnnDataFile, given: Given) -> Section:
        options, obs = self.options, file.table("obs")
        library = choose_library(file, obs, options.library)
        own = Own.of(file, obs, library.factors)
        spots = read_spots(file, obs, library)
        said = Sizes(given.um_per_px, options.spot_um, options.spot_shape, options.pitch_um)
        scale = own.scaled(said) if own else find_scale(spots.table, library.factors, said, file.path)
        slide, images, of_slide = find_slide(file, library, given, wanted=options.image, um_per_px=scale.um_per_px)
        place, matrix, of_counts = read_counts(file, spots.rows, spots=len(obs), layer=options.counts)
        var = read_features(file, place, matrix.shape[1])
        genes = (own_genes if own else read_genes)(var, file.path)
        kept = obs.iloc[spots.rows]
        table = own.spots(kept, scale, file.path) if own else _in_um(spots.table, scale.um_per_px)
        return Section(
            platform=own.platform if own else "anndata",
            counts=_counts(matrix, table, genes, spots),
            um_per_px=scale.um_per_px,
            spot_um=scale.spot_um,
            spot_shape=scale.spot_shape,
            pitch_um=scale.pitch_um,
            slide=slide,
            sources=(Source.of("counts", file.path), *images),
            notes=(*library.notes, *spots.notes, *scale.notes, *of_counts, *genes.notes, *of_slide),
            patient=own.patient if own else "",
        )


def _in_um(table: pd.DataFrame, um_per_px: float) -> pd.DataFrame:
    return table.assign(x_um=table["x_px"] * um_per_px, y_um=table["y_px"] * um_per_px)


def _counts(matrix: sparse.csr_matrix[Any], table: pd.DataFrame, genes: Genes, spots: Spots) -> ad.AnnData:
    kept = matrix if genes.keep.all() else matrix[:, genes.keep]
    counts = ad.AnnData(X=kept, obs=table, var=genes.var)
    if len(spots.order) > len(table):
        counts.uns["counts_order"] = spots.order  # bare label vectors count these rows too
    return counts
