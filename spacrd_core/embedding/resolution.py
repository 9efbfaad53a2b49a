"""Whether a slide shows the detail that an encoder was made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.cards import Recipe

# Magnifications double (0.25, 0.5, 1, 2 um/px), so from this ratio on a slide is nearer to the next coarser one.
# Below it, slides are usable: scanners of one magnification differ by a tenth, and detectors by features at 12.5 um/px
# lost an AUC of 0.001 at 15 um/px, a ratio of 1.2.
MAX_RATIO = 2**0.5


def is_too_coarse(um_per_px: float, recipe: Recipe) -> bool:
    """Return whether a slide is notably coarser than the patches of an encoder, which are then enlarged and blurred."""
    return um_per_px > MAX_RATIO * recipe.um_per_px


def coarse_slides_warning(um_per_px: Mapping[str, float], encoder: str, recipe: Recipe) -> str:
    """Return one warning about all sections whose slide is too coarse for an encoder; '' if there are none.

    ``um_per_px`` are the slides' by section.
    """
    coarse: dict[float, list[str]] = {}
    for section, resolution in um_per_px.items():
        if is_too_coarse(resolution, recipe):
            coarse.setdefault(round(resolution, 2), []).append(section)
    if not coarse:
        return ""
    sections = ", ".join(f"{listed(names)} ({resolution:g} um/px)" for resolution, names in sorted(coarse.items()))
    return (
        f"slides coarser than '{encoder}' needs, which is {recipe.um_per_px:g} um/px: {sections}; its embeddings of "
        "blurred patches are unreliable: ingest finer images, or choose an encoder that needs less resolution"
    )
