"""What is checked of every section, whoever read it: all that is wrong is said together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import GeometryError, InputError
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size
from spacrd_core.section.counts import require_counts, require_single_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import anndata as ad

    from spacrd_core.section.section import Section, SlideFile

SCALE_APART = 0.03  # um/px of one slide from two sources; metadata are rarely better than this
MOSTLY = 0.5
NEARLY_ALL = 0.95


@dataclass(frozen=True)
class Checks:
    """The figures of the checks; None where there is no image, or it says nothing.

    Attributes
    ----------
    inside_image
        The share of spots whose centre lies inside the image.
    image_um_per_px
        What the image file says of itself.
    empty_spots
        Spots without a single count.
    genes_with_ids, shared_symbols
        Genes whose Ensembl id is known, and symbols that several genes have.
    """

    empty_spots: int
    genes_with_ids: int
    shared_symbols: int
    inside_image: float | None = None
    image_um_per_px: float | None = None


def check_section(section: Section) -> tuple[Section, Checks]:
    """Return the section with a note of everything odd, and the figures.

    Raises
    ------
    InputError
        If the counts are no counts, or most spots lie outside the image.
    ExceptionGroup
        If both.
    """
    wrong: list[InputError] = []
    try:
        _require_raw(section)
    except InputError as error:
        wrong.append(error)
    slide = section.slide
    inside = _inside(section, slide) if slide else None
    if slide and inside is not None and inside < MOSTLY:
        wrong.append(_outside(section, slide, inside))
    if wrong:
        raise wrong[0] if len(wrong) == 1 else ExceptionGroup("the section cannot be used", wrong)
    checks = replace(_genes(section.counts), inside_image=inside, image_um_per_px=_stated(slide))
    return replace(section, notes=(*section.notes, *_notes(section, checks))), checks


def _require_raw(section: Section) -> None:
    counts: Any = section.counts.X
    table = next((source.path for source in section.sources if source.role == "counts"), "the section")

    def place(at: int) -> tuple[str, str]:
        spot = int(np.searchsorted(counts.indptr, at, side="right")) - 1
        return str(section.counts.obs_names[spot]), str(section.counts.var_names[counts.indices[at]])

    require_counts(counts.data, table, place)
    if "n_cells" not in section.counts.obs:  # cells on a small panel add up to more than one of every gene
        require_single_counts(counts, table)


def _genes(counts: ad.AnnData) -> Checks:
    symbols = counts.var["symbol"].astype(str)
    return Checks(
        empty_spots=int((np.asarray(counts.X.sum(axis=1)).ravel() == 0).sum()),
        genes_with_ids=int((counts.var["gene_id"].astype(str) != "").sum()),
        shared_symbols=int(symbols[symbols.duplicated()].nunique()),
    )


def _inside(section: Section, slide: SlideFile) -> float:
    places = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.scale
    return float(((places >= 0) & (places < image_size(slide))).all(axis=1).mean())


def _outside(section: Section, slide: SlideFile, inside: float) -> GeometryError:
    places = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.scale
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    width, height = image_size(slide)
    return GeometryError(
        f"{1 - inside:.0%} of the spots lie outside the image {slide.path} ({width} x {height} px): "
        f"they span x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}",
        hint="is it the image of this section, at full resolution? --image FILE, --image-scale X",
    )


def _stated(slide: SlideFile | None) -> float | None:
    return None if slide is None or slide.pixels is not None else image_um_per_px(slide.path)


def _notes(section: Section, checks: Checks) -> Iterator[str]:
    counts, slide = section.counts, section.slide
    if checks.empty_spots:
        empty = counts.obs_names[np.asarray(counts.X.sum(axis=1)).ravel() == 0]
        yield f"spots without a single count, kept: {checks.empty_spots} ({_some(empty)})"
    if slide and checks.inside_image is not None and checks.inside_image < 1:
        outside = round((1 - checks.inside_image) * counts.n_obs)
        yield f"{outside} of {counts.n_obs} spots lie outside the image {slide.path.name}"
    stated = checks.image_um_per_px
    if slide and stated and abs(stated / slide.um_per_px - 1) > SCALE_APART:
        yield (
            f"{slide.path.name} states {stated:.4g} um/px, the positions of the spots say {slide.um_per_px:.4g} "
            f"({abs(stated / slide.um_per_px - 1):.0%} apart): the file's own figure was not used"
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(str, names[:5])) + (", ..." if len(names) > 5 else "")
