"""The reader cards of this package."""

from __future__ import annotations

from spacrd_core.cards import ReaderCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_readers() -> tuple[ReaderCard, ...]:
    """Return the cards of the readers that come with SpaCRD."""
    return (
        ReaderCard(
            "st",
            "spacrd_readers.st.reader:St",
            "legacy Spatial Transcriptomics: a counts table, its spot table and an H&E image",
        ),
        ReaderCard(
            "visium",
            "spacrd_readers.visium.reader:Visium",
            "Visium: a Space Ranger 1 to 4 run, a downloaded or deposited copy, or its matrix",
        ),
        ReaderCard(
            "anndata",
            "spacrd_readers.anndata.reader:AnnData",
            "AnnData (.h5ad, .zarr) with raw counts, obsm['spatial'] and squidpy's uns['spatial']",
        ),
        ReaderCard(
            "visium_hd",
            "spacrd_readers.visium_hd.reader:VisiumHd",
            "Visium HD: 2 to 100 um bins or segmented cells of Space Ranger 3 and 4, as square spots",
        ),
        ReaderCard(
            "xenium",
            "spacrd_readers.xenium.reader:Xenium",
            "Xenium: an XOA 1 to 4 bundle, with an H&E image of the same section and its alignment",
        ),
        ReaderCard(
            "spatialdata",
            "spacrd_readers.spatialdata.reader:SpatialData",
            "SpatialData (.zarr): a table with its shapes or labels and an H&E, of any platform of spatialdata-io",
            extra="spatialdata",
        ),
        ReaderCard(
            "slide",
            "spacrd_readers.slide.reader:Slide",
            "an H&E image alone, as square spots on its tissue; only with --reader slide",
            on_request=True,
        ),
    )
