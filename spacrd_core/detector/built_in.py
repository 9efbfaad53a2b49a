"""The built-in detector ``prior``: what a section says of itself, without any training."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import torch

from spacrd_core._version import __version__
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.detector.config import CalibrationRecord, DetectorConfig, EncoderRecord, PriorRecord
from spacrd_core.detector.detector import Detector
from spacrd_core.errors import UnknownName
from spacrd_core.model.options import PRIOR_HEAD
from spacrd_core.model.prior_calibration import prior_calibration
from spacrd_core.prior.image import ENCODER, ENCODER_OPTIONS
from spacrd_core.prior.lists import CARCINOMA, load_gene_lists
from spacrd_core.prior.options import PriorOptions

if TYPE_CHECKING:
    from spacrd_core.plugins import Plugins

NAMES: Final = (PRIOR_HEAD, f"{PRIOR_HEAD}:{CARCINOMA}")


def is_built_in(detector: str) -> bool:
    """Return whether a text names the built-in detector; a folder of that name is ``./prior``."""
    return detector in NAMES


def built_in_detector(plugins: Plugins, lists: str = CARCINOMA) -> Detector:
    """Return the built-in detector, by the gene lists of carcinoma or of a TOML file.

    Raises
    ------
    ConfigError, MissingFile
        If the file does not hold gene lists.
    """
    genes, options = load_gene_lists(lists), PriorOptions(lists=lists)
    encoder = _encoder(plugins)
    config = DetectorConfig(
        spacrd_version=__version__,
        torch_version=torch.__version__,
        head=PRIOR_HEAD,
        head_options={},
        head_epochs={},
        cohort=CohortOptions().model_dump(mode="json"),
        seeds=(0,),
        panel=tuple(sorted({gene for names in (genes.positive | genes.negative).values() for gene in names})),
        panel_ids=(),
        species=genes.species,
        image_dim=0 if encoder is None else int(encoder.recipe["dim"]),
        encoder=encoder,
        calibrations={
            name: CalibrationRecord(**prior_calibration(name).model_dump())
            for name in MODALITIES
            if encoder or name == "genes"
        },
        prior=PriorRecord(lists=genes, **options.model_dump(exclude={"lists", "use"})),
        without_prior="",
        trained_on=(),
        weights_sha256=hashlib.sha256(genes.model_dump_json().encode()).hexdigest(),
    )
    return Detector(config.with_fingerprint(), None, {"held_out": {}, "reliability": {}, "unread": {}, "curve": []})


def _encoder(plugins: Plugins) -> EncoderRecord | None:
    try:
        recipe = plugins.encoders.create(ENCODER, dict(ENCODER_OPTIONS)).recipe
    except UnknownName:
        return None
    return EncoderRecord(name=ENCODER, options=dict(ENCODER_OPTIONS), recipe_key=recipe.key, recipe=asdict(recipe))
