"""Checks of every section, independent of its reader. All errors are reported together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import GeometryError, InputError
from spacrd_core.genes.known import ALLOW_UNKNOWN, UNKNOWN_GENES, describe_unknown
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size
from spacrd_core.ingestion.slide_checks import check_slide
from spacrd_core.quoting import shortened
from spacrd_core.section.counts import require_counts, require_single_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import anndata as ad

    from spacrd_core.arrays import Array
    from spacrd_core.section.section import Section, SlideFile

UM_PER_PX_TOLERANCE = 0.03  # between two sources of a slide's um/px; metadata are rarely more precise
MIN_SPOTS_INSIDE_IMAGE = 0.5
MAX_SPOTS_SHOWN = 5


@dataclass(frozen=True)
class Checks:
    """The figures of the checks; None where there is no image, or its metadata lack the figure.

    Attributes
    ----------
    inside_image
        Fraction of spots whose centre is inside the image.
    image_um_per_px
        The um/px in the metadata of the image file.
    empty_spots
        Spots whose counts are all zero.
    genes_with_ids, shared_symbols
        Number of genes with an Ensembl id, and of symbols that several genes share.
    """

    empty_spots: int
    genes_with_ids: int
    shared_symbols: int
    inside_image: float | None = None
    image_um_per_px: float | None = None


def check_section(section: Section) -> tuple[Section, Checks]:
    """Return the section with a note for every anomaly, and the figures.

    Raises
    ------
    InputError
        If the counts are not raw counts, most spots are outside the image, or the image is no H&E or is turned.
    ExceptionGroup
        If several of these.
    """
    return measure_section(section, require_usable(section))


def require_usable(section: Section) -> tuple[str, ...]:
    """Return notes on the slide of a section that can be used; otherwise raise as :func:`check_section`."""
    errors: list[InputError] = []
    try:
        _require_raw_counts(section)
    except InputError as error:
        errors.append(error)
    slide = section.slide
    inside = _fraction_inside(section, slide) if slide else None
    if slide and inside is not None and inside < MIN_SPOTS_INSIDE_IMAGE:
        errors.append(_outside_error(section, slide, inside))
    slide_error, slide_notes = check_slide(section, slide) if slide else (None, ())
    errors += [slide_error] if slide_error else []
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup("the section cannot be used", errors)
    return slide_notes


def measure_section(section: Section, slide_notes: tuple[str, ...]) -> tuple[Section, Checks]:
    """Return a usable section, or a part of one, with a note for every anomaly, and the figures."""
    slide = section.slide
    inside = _fraction_inside(section, slide) if slide else None
    checks = replace(_count_checks(section.counts), inside_image=inside, image_um_per_px=_metadata_um_per_px(slide))
    return replace(section, notes=(*section.notes, *slide_notes, *_notes(section, checks))), checks


def _require_raw_counts(section: Section) -> None:
    counts: Any = section.counts.X
    table = next((source.path for source in section.sources if source.role == "counts"), "the section")

    def spot_and_gene(index: int) -> tuple[str, str]:
        spot = int(np.searchsorted(counts.indptr, index, side="right")) - 1
        return str(section.counts.obs_names[spot]), str(section.counts.var_names[counts.indices[index]])

    require_counts(counts.data, table, spot_and_gene)
    if "n_cells" not in section.counts.obs:  # spots summed from cells may have no gene with a single count
        require_single_counts(counts, table)


def _count_checks(counts: ad.AnnData) -> Checks:
    symbols = counts.var["symbol"].astype(str)
    return Checks(
        empty_spots=int((np.asarray(counts.X.sum(axis=1)).ravel() == 0).sum()),
        genes_with_ids=int((counts.var["gene_id"].astype(str) != "").sum()),
        shared_symbols=int(symbols[symbols.duplicated()].nunique()),
    )


def _fraction_inside(section: Section, slide: SlideFile) -> float:
    xy_px = _image_positions(section, slide)
    return float(((xy_px >= 0) & (xy_px < image_size(slide))).all(axis=1).mean())


def _image_positions(section: Section, slide: SlideFile) -> Array:
    """Return the spot centres in px of the image file."""
    xy_px: Array = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.scale
    return xy_px


def _outside_error(section: Section, slide: SlideFile, inside: float) -> GeometryError:
    xy_px = _image_positions(section, slide)
    (left, top), (right, bottom) = xy_px.min(axis=0), xy_px.max(axis=0)
    width, height = image_size(slide)
    return GeometryError(
        f"{1 - inside:.0%} of the spots lie outside the image {slide.path} ({width} x {height} px): "
        f"they span x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}",
        hint="check that it is the image of this section: --image FILE; and its resolution: --image-scale X",
    )


def _metadata_um_per_px(slide: SlideFile | None) -> float | None:
    return None if slide is None or slide.pixels is not None else image_um_per_px(slide.path)


def _notes(section: Section, checks: Checks) -> Iterator[str]:
    counts, slide = section.counts, section.slide
    if checks.empty_spots and counts.n_vars:
        empty = counts.obs_names[np.asarray(counts.X.sum(axis=1)).ravel() == 0]
        yield f"spots with zero counts, kept: {checks.empty_spots} ({_abbreviated(empty)})"
    if slide and checks.inside_image is not None and checks.inside_image < 1:
        outside = round((1 - checks.inside_image) * counts.n_obs)
        yield f"{outside} of {counts.n_obs} spots lie outside the image {slide.path.name}"
    symbols, gene_ids = (counts.var[name].astype(str).tolist() for name in ("symbol", "gene_id"))
    if unknown := describe_unknown(symbols, gene_ids):
        yield f"{UNKNOWN_GENES}: {unknown}; training refuses this section without {ALLOW_UNKNOWN}"
    metadata = checks.image_um_per_px
    if slide and metadata and abs(metadata / slide.um_per_px - 1) > UM_PER_PX_TOLERANCE:
        yield (
            f"the metadata of {slide.path.name} give {metadata:.4g} um/px, the spot positions {slide.um_per_px:.4g} "
            f"({abs(metadata / slide.um_per_px - 1):.0%} difference): the metadata were not used"
        )


def _abbreviated(names: Sequence[str]) -> str:
    return ", ".join(map(shortened, names[:MAX_SPOTS_SHOWN])) + (", ..." if len(names) > MAX_SPOTS_SHOWN else "")
