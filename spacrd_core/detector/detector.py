"""The detector, saved as a folder of safetensors and JSON. Loading is strict and never unpickles."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from spacrd_core._version import __version__
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.config import mistakes
from spacrd_core.detector.config import (
    CalibrationRecord,
    DetectorConfig,
    read_detector_config,
)
from spacrd_core.detector.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    key_of,
    prepare_detector_folder,
    verified_weights,
)
from spacrd_core.detector.fit import require_fit
from spacrd_core.detector.metrics import METRICS_FILE, read_metrics
from spacrd_core.detector.training_copy_number import training_copy_number
from spacrd_core.detector.training_facts import encoder_record, label_counts, metrics_of, prior_record, training_section
from spacrd_core.detector.training_folder import mark_done, remove_kept
from spacrd_core.errors import DetectorError, SpacrdError
from spacrd_core.files import replace_folder
from spacrd_core.model.platt import Calibration
from spacrd_core.model.state_dict import ensemble_from_state, ensemble_state, fitted_preprocessor
from spacrd_core.prior.options import PriorOptions
from spacrd_core.replacement import read_whole
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.detector.address import LocalDetector
    from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.plugins import Registry


# Of a configuration or of weights that do not fit their head, or that ask for more memory than there is.
DAMAGED_FILE_ERRORS = (
    *(RuntimeError, LookupError, TypeError, ValueError, OSError, ArithmeticError, AttributeError, MemoryError),
)


@dataclass(frozen=True)
class Detector:
    """A trained ensemble with its calibration and everything needed to apply it to any section.

    ``source`` is the folder it was loaded from; None if it has just been trained. The built-in detector has no
    ensemble. ``resumed_from`` is the folder in which its training kept what was finished, which :meth:`save` removes.
    """

    config: DetectorConfig
    trained: Ensemble | None
    metrics: dict[str, Any]
    source: LocalDetector | None = None
    resumed_from: Path | None = None

    @property
    def ensemble(self) -> Ensemble:
        """The trained ensemble.

        Raises
        ------
        DetectorError
            For the built-in detector, which has none.
        """
        if self.trained is None:
            raise DetectorError("the built-in detector has no trained ensemble", hint="spacrd train STORE -o DETECTOR")
        return self.trained

    @property
    def name(self) -> str:
        """The name that people know it by: its folder, its repository on the Hub, or ``prior``; '' if it has none."""
        if self.config.built_in:
            return self.config.head
        return self.source.name if self.source else ""

    @property
    def provenance(self) -> dict[str, str]:
        """The origin of the detector, for the provenance of its calls."""
        return self.source.provenance if self.source else {}

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """The calibrations by modalities."""
        return {name: Calibration(**record.model_dump()) for name, record in self.config.calibrations.items()}

    @property
    def prior(self) -> PriorOptions | None:
        """How the detector uses what a section says of itself; None if it does not."""
        record = self.config.prior
        if record is None:
            return None
        return PriorOptions(lists=record.lists.name, **record.model_dump(exclude={"lists"}))

    @classmethod
    def from_training(
        cls, trained: CalibratedEnsemble, options: TrainOptions, sections: Sequence[SectionData], encoder: str
    ) -> Self:
        """Return the detector of a completed training."""
        weights = save(ensemble_state(trained.ensemble))
        labelled = [section for section in sections if (section.labels >= 0).any()]
        preprocessor = trained.ensemble.preprocessor
        embedded = next((section for section in sections if section.recipe), None)
        config = DetectorConfig(
            spacrd_version=__version__,
            torch_version=torch.__version__,
            head=options.head.name,
            head_options=trained.ensemble.heads[0].options.model_dump(mode="json"),
            head_epochs=options.head.epochs,
            cohort=preprocessor.options.model_dump(mode="json"),
            seeds=options.seed_list,
            precision=trained.ensemble.precision,
            panel=preprocessor.panel,
            panel_ids=preprocessor.panel_ids,
            species=preprocessor.species,
            image_dim=preprocessor.image_dim,
            encoder=encoder_record(encoder, embedded),
            calibrations={
                name: CalibrationRecord(**calibration.model_dump())
                for name, calibration in trained.calibrations.items()
            },
            prior=prior_record(trained.prior),
            without_prior=trained.without_prior,
            trained_on=tuple(map(training_section, labelled)),
            weights_sha256=hashlib.sha256(weights).hexdigest(),
        )
        facts = {
            "copy_number": training_copy_number(labelled),
            "labels": {each.id: label_counts(each) for each in labelled},
        }
        metrics = metrics_of(trained) | facts
        return cls(config.with_fingerprint(), trained.ensemble, metrics)

    def save(self, folder: str | Path) -> None:
        """Write the detector to a temporary folder and move it into place; a previous detector is replaced.

        Raises
        ------
        DetectorError
            If the folder contains other files.
        """
        self.replace(folder)

    def replace(self, folder: str | Path) -> str:
        """Write the detector as :meth:`save` does, and return the key of the one that it replaced; '' without one."""
        folder = Path(folder)
        if self.trained is None:
            raise DetectorError(
                "the built-in detector is part of SpaCRD and needs no folder", hint="spacrd detect STORE prior -o DIR"
            )
        prepare_detector_folder(folder)
        from spacrd_core.detector.documents import detector_documents  # noqa: PLC0415 - draws; not needed for loading

        contents = {
            WEIGHTS_FILE: save(ensemble_state(self.ensemble)),
            METRICS_FILE: json.dumps(self.metrics, indent=1, allow_nan=False).encode(),
            **detector_documents(self.config, self.metrics),
            CONFIG_FILE: self.config.model_dump_json(indent=1).encode(),
        }
        with explained(folder):
            mark_done(self.resumed_from, self.config.key)
            replaced = key_of(replace_folder(folder, contents, read=CONFIG_FILE))
        remove_kept(self.resumed_from)
        return replaced

    @classmethod
    def load(cls, folder: Path, *, heads: Registry[Any], device: torch.device) -> Self:
        """Return the detector in a folder.

        Raises
        ------
        DetectorError
            If its weights are missing, have changed, or do not fit its head.
        """
        config, tensors, metrics = read_whole(folder, partial(_read, folder))
        try:
            options = CohortOptions(**config.cohort)
            unfitted = Preprocessor(options, config.panel, panel_ids=config.panel_ids, species=config.species)
            preprocessor = fitted_preprocessor(unfitted, tensors)
            require_fit(config, tensors, lambda: heads.create(config.head, config.head_options, dims=preprocessor.dims))
            untrained = [heads.create(config.head, config.head_options, dims=preprocessor.dims) for _ in config.seeds]
            ensemble = ensemble_from_state(tensors, preprocessor, untrained, device, precision=config.precision)
        except DAMAGED_FILE_ERRORS as error:
            if isinstance(error, SpacrdError):
                raise
            reason = "; ".join(mistakes(error)) if isinstance(error, ValidationError) else error
            raise DetectorError(
                f"the detector in {folder} is damaged: {reason}", hint="copy the detector again"
            ) from error
        if preprocessor.image_dim != config.image_dim or bool(config.image_dim) != bool(config.encoder):
            raise DetectorError(f"the weights in {folder} do not fit its config.json", hint="copy the detector again")
        return cls(config, ensemble, metrics)


def _read(folder: Path) -> tuple[DetectorConfig, dict[str, torch.Tensor], dict[str, Any]]:
    config = read_detector_config(folder)
    return config, _weights(folder, config), read_metrics(folder, config)


def _weights(folder: Path, config: DetectorConfig) -> dict[str, torch.Tensor]:
    file = verified_weights(folder, config)
    try:
        return load_file(file)
    except SafetensorError as error:
        raise DetectorError(f"{file} cannot be read: {error}", hint="copy the detector again") from error
