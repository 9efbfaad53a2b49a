"""The detector as an artifact: a folder of safetensors and JSON, loaded strictly and never by pickle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from spacrd_core._version import __version__
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.detector.config import (
    CalibrationRecord,
    DetectorConfig,
    EncoderRecord,
    TrainedOn,
    read_detector_config,
)
from spacrd_core.detector.files import (
    CARD,
    CONFIG,
    CURVE,
    METRICS,
    RELIABILITY,
    WEIGHTS,
    read_metrics,
    require_room,
    trained_weights,
)
from spacrd_core.detector.model_card import model_card
from spacrd_core.detector.reliability_diagram import reliability_png
from spacrd_core.detector.training_curve import curve_png
from spacrd_core.errors import DetectorError, SpacrdError
from spacrd_core.files import replace_folder, restore_folder
from spacrd_core.model.ensemble import Ensemble, fitted_parts
from spacrd_core.model.platt import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.detector.download import Found
    from spacrd_core.model.calibrated_ensemble import Trained, TrainOptions
    from spacrd_core.plugins import Registry


@dataclass(frozen=True)
class Detector:
    """A trained ensemble with its calibration and everything needed to apply it to any section.

    ``found`` says where it came from, if it was not trained just now.
    """

    config: DetectorConfig
    ensemble: Ensemble
    metrics: dict[str, Any]
    found: Found | None = None

    @property
    def origin(self) -> dict[str, str]:
        """What belongs into the provenance of its calls."""
        return self.found.facts if self.found else {}

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """From logits to probabilities and calls, for every view of a section."""
        return {view: Calibration(**record.model_dump()) for view, record in self.config.calibrations.items()}

    @classmethod
    def of(cls, trained: Trained, options: TrainOptions, sections: Sequence[SectionData], encoder: str) -> Self:
        """Return the detector of a finished training."""
        weights = save(trained.ensemble.state())
        lens = trained.ensemble.lens
        seen = next((section for section in sections if section.recipe), None)
        config = DetectorConfig(
            spacrd_version=__version__,
            torch_version=torch.__version__,
            head=options.head.name,
            head_options=trained.ensemble.heads[0].options.model_dump(mode="json"),
            head_epochs=options.head.epochs,
            cohort=lens.options.model_dump(mode="json"),
            seeds=options.seed_list,
            panel=lens.panel,
            panel_ids=lens.panel_ids,
            species=lens.species,
            image_dim=lens.image_dim,
            encoder=_encoder(encoder, seen),
            calibrations={
                view: CalibrationRecord(**calibration.model_dump())
                for view, calibration in trained.calibrations.items()
            },
            trained_on=tuple(_trained_on(section) for section in sections if (section.labels >= 0).any()),
            weights_sha256=hashlib.sha256(weights).hexdigest(),
        )
        return cls(config.sealed(), trained.ensemble, _metrics(trained))

    def save(self, folder: str | Path) -> None:
        """Write the artifact aside and move it into place; an older detector in the folder is replaced.

        Raises
        ------
        DetectorError
            If the folder holds other things.
        """
        folder = Path(folder)
        require_room(folder)
        reliability = self.metrics.get("reliability")  # none where no patient was held out
        replace_folder(
            folder,
            {
                WEIGHTS: save(self.ensemble.state()),
                METRICS: json.dumps(self.metrics, indent=1, allow_nan=False).encode(),
                CURVE: curve_png(self.metrics, {item.id: item.patient for item in self.config.trained_on}),
                **({RELIABILITY: reliability_png(reliability)} if reliability else {}),
                CARD: model_card(self.config, self.metrics).encode(),
                CONFIG: self.config.model_dump_json(indent=1).encode(),
            },
        )

    @classmethod
    def load(cls, folder: Path, *, heads: Registry[Any], device: torch.device) -> Self:
        """Return the detector in a folder.

        Raises
        ------
        DetectorError
            If its weights are missing, were changed, or do not fit its head.
        """
        restore_folder(folder)
        config = read_detector_config(folder)
        tensors = _weights(folder, config)
        try:
            options = CohortOptions(**config.cohort)
            lens = Lens(options, config.panel, panel_ids=config.panel_ids, species=config.species)
            lens = replace(lens, **fitted_parts(tensors))
            built = [heads.create(config.head, config.head_options, dims=lens.dims) for _ in config.seeds]
            ensemble = Ensemble.of_state(tensors, lens, built, device)
            metrics = read_metrics(folder)
        except (RuntimeError, LookupError, TypeError, ValueError, OSError) as error:
            if isinstance(error, SpacrdError):
                raise
            raise DetectorError(f"the detector in {folder} is damaged: {error}", hint="copy it again") from error
        if lens.image_dim != config.image_dim or bool(config.image_dim) != bool(config.encoder):
            raise DetectorError(f"the weights in {folder} do not fit its config.json", hint="copy the detector again")
        return cls(config, ensemble, metrics)


def _weights(folder: Path, config: DetectorConfig) -> dict[str, torch.Tensor]:
    file = trained_weights(folder, config)
    try:
        return load_file(file)
    except SafetensorError as error:
        raise DetectorError(f"{file} cannot be read: {error}") from error


def _encoder(name: str, section: SectionData | None) -> EncoderRecord | None:
    """Return what made a section's embeddings."""
    if section is None or section.recipe is None:
        return None
    recipe = section.recipe
    return EncoderRecord(name=name, options=dict(section.encoder_options), recipe_key=recipe.key, recipe=asdict(recipe))


def _trained_on(section: SectionData) -> TrainedOn:
    return TrainedOn(
        id=section.id,
        patient=section.patient,
        platform=section.platform,
        identity=section.identity,
        label_source=section.label_source,
    )


def _metrics(trained: Trained) -> dict[str, Any]:
    return {
        "held_out": {section: asdict(figures) for section, figures in trained.held_out.items()},
        "reliability": {platform: asdict(figures) for platform, figures in trained.reliability.items()},
        "curve": [
            {"phase": epoch.phase, "epoch": epoch.number, "losses": dict(epoch.losses)} for epoch in trained.curve
        ],
    }
