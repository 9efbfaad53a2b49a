"""What a section loses when it is replaced: resolution of its image, embeddings, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import CorruptStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

COARSER = 1.05  # ratio of um/px from which an image is called coarser


def image_um_per_px(store: SpotStore, section: str) -> float | None:
    """Return the um/px of a section's stored slide; None without one, or if it is damaged."""
    try:
        pyramid = store.pyramid(section)
    except CorruptStore:
        return None
    return pyramid.levels[0].um_per_px if pyramid else None


def losses(
    store: SpotStore, before: SectionEntry, now: SectionEntry, *, um_per_px_before: float | None
) -> Iterator[str]:
    """Yield a sentence for all that a section had before it was replaced, and has no more."""
    um_per_px = image_um_per_px(store, now.id)
    was = f"{um_per_px_before:.3g} um/px" if um_per_px_before else "of unknown um/px"
    if before.slide and now.slide is None:
        yield f"the section has no image any more; it had one ({was}): --image FILE --replace"
    elif um_per_px and um_per_px_before and um_per_px > COARSER * um_per_px_before:
        yield f"the image is coarser than before: {um_per_px:.3g} um/px, it was {was}: --image FILE --replace"
    encoders = sorted({r.encoder for key, r in before.embeddings.items() if key not in now.embeddings})
    if encoders:
        yield f"the embeddings by {', '.join(encoders)} are of another image or other spots: run spacrd embed again"
    if set(before.predictions) - set(now.predictions):
        yield "its calls are gone with what they were made from: run spacrd detect again"
