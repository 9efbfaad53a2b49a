"""How tumour-like the H&E around every spot is, by tissue and nuclei alone: carcinoma is dense in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spacrd_core.cohort.scaling import Scaler
from spacrd_core.prior.standardise import standardise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.plugins import Registry
    from spacrd_core.prior.neighbourhoods import Neighbourhoods

ENCODER: Final = "stain"  # read whatever the detector's own encoder is; without weights, 0.2 s a section
ENCODER_OPTIONS: Final[Mapping[str, Any]] = {"normalised": True}  # without, weak haematoxylin reads as little tissue
FEATURES_PER_WINDOW = 7
TISSUE, NUCLEI = 0, 3


def image_recipe_key(encoders: Registry[Any]) -> str:
    """Return the key of the embeddings that the image evidence is read from."""
    return str(encoders.create(ENCODER, dict(ENCODER_OPTIONS)).recipe.key)


def score_image(stain: Float[Array, "spots features"], spots: Neighbourhoods) -> tuple[Float[Array, " spots"], float]:
    """Return the image score of every spot (mean 0, standard deviation 1), and its spatial structure.

    ``stain`` are the normalised features of the encoder ``stain``. The score is the mean of standardised tissue and
    nuclei over the three windows, averaged over neighbourhoods.
    """
    features = stain.reshape(len(stain), -1, FEATURES_PER_WINDOW)[:, :, [TISSUE, NUCLEI]].reshape(len(stain), -1)
    density = np.asarray(Scaler.fit([features])(features).mean(axis=1), dtype=np.float64)
    return standardise(spots.means(density)), spots.structure(density)
