"""Choose spots of a high score that are spread over the tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from spacrd_core.arrays import Array


def choose_spread(
    scores: Float[Array, " spots"], xy_um: Float[Array, "spots 2"], count: int, *, pitch_um: float
) -> Int[Array, " chosen"]:
    """Return the indices of ``count`` spots of high scores, the best first, or of all spots if there are fewer.

    The spot of the highest score is taken, and the scores of the others are lowered near it: to 0 where it is, to 12,
    39 and 86 % at a quarter, half and the whole of the distance that as many spots would have if they were spread
    evenly; then the next.
    """
    spacing_um = pitch_um * np.sqrt(len(scores) / max(count, 1))
    left, chosen = np.asarray(scores, dtype=float).copy(), np.zeros(len(scores), dtype=bool)
    order: list[int] = []
    for _ in range(min(count, len(scores))):
        best = int(np.argmax(np.where(chosen, -np.inf, left)))
        order.append(best)
        chosen[best] = True
        squares = np.square(xy_um - xy_um[best]).sum(axis=1)
        left *= 1 - np.exp(-2 * squares / spacing_um**2)
    return np.array(order, dtype=np.int64)
