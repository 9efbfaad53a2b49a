"""Build what the writers take, from the store and a spot table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.detection.attribution import driving_genes_from_table
from spacrd_core.detection.bands import Bands
from spacrd_core.detection.regions_rule import RegionsRule, regions_rule
from spacrd_core.errors import InputError
from spacrd_core.model.decision import Decision
from spacrd_core.model.findings import Findings
from spacrd_core.model.options import DEFAULT_HEAD
from spacrd_core.results.report.viewport import MIN_PHOTO_PX, section_viewport
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.results.section_warnings import section_warnings
from spacrd_core.results.warnings import TRAINED_ON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.slide.pyramid import Pyramid
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

CALIBRATION_METHODS = {
    "platt": "Platt scaling on held-out patients",
    "prior": "constants from six patients with breast carcinoma",
    "none": "none, because no held-out patients were available",
}


def section_result(
    store: SpotStore,
    section: str,
    spots: pd.DataFrame,
    detector: DetectorConfig,
    regions: RegionsRule | None = None,
) -> SectionResult:
    """Return the calls of a section together with its tissue.

    ``regions`` is whether regions are drawn (default: the rule given to ``detect``).
    """
    entry, decision = store.entry(section), decision_of(section, spots)
    warnings = section_warnings(store, section, spots, detector)
    remarks = tuple(note for note in entry.notes if not _is_about_labels(note, entry))
    return _on_tissue(
        store,
        section,
        adata=store.section(section),
        spots=_columns(spots),
        threshold=decision.threshold,
        threshold_rule=decision.threshold_rule,
        alpha=decision.alpha,
        genes=driving_genes_from_table(spots),
        spot_of_cell=store.spot_of_cell(section),
        notes=(*warnings, *remarks),
        remarks=remarks,
        trained_on=next((warning for warning in warnings if warning.startswith(TRAINED_ON)), ""),
        findings=Findings.from_table(spots),
        copy_number=CopyNumber.from_table(spots),
        regions_rule=regions or regions_rule(spots),
        bands=Bands.from_table(spots),
    )


def uncalled(store: SpotStore, section: str) -> SectionResult:
    """Return a section without calls, as it is drawn."""
    adata = store.section(section)
    spots = pd.DataFrame({"probability": np.nan, "label": ""}, index=adata.obs_names)
    return _on_tissue(store, section, adata=adata, spots=spots, threshold=np.nan, regions_rule="never")


def _on_tissue(store: SpotStore, section: str, **calls: Any) -> SectionResult:
    """Return calls together with what the store knows of the section's tissue."""
    entry, pyramid = store.entry(section), store.pyramid(section)
    result = SectionResult(
        section_id=section,
        patient=entry.patient,
        platform=entry.platform,
        um_per_px=entry.um_per_px,
        spot_um=entry.spot_um,
        spot_shape=entry.spot_shape,
        pitch_um=entry.pitch_um,
        slide=pyramid,
        image_px_per_full_px=entry.slide.image_px_per_full_px if entry.slide else 1.0,
        viewer_corner_px=entry.slide.viewer_corner_px if entry.slide else (0.0, 0.0),
        slide_um_per_full_px=store.slide_scale(section) if pyramid else None,
        **calls,
    )
    return _with_thumbnail(result, pyramid) if pyramid else result


def _columns(spots: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a spot table without its attributes, of which pandas makes a copy at every step."""
    columns = spots.copy(deep=False)
    columns.attrs = {}
    return columns if "copy_number" in columns else columns.assign(copy_number=np.nan)  # called by an earlier version


def decision_of(section: str, spots: pd.DataFrame) -> Decision:
    """Return the threshold and the rule by which a section was called, as its spot table records them.

    Raises
    ------
    InputError
        If the table has lost them: pandas drops a table's attributes when it is joined or read from a file.
    """
    decision = Decision.from_table(spots)
    if decision is None:
        raise incomplete_table(section)
    return decision


def incomplete_table(section: str) -> InputError:
    """Return the error for a spot table that has lost its attributes."""
    return InputError(
        f"the table of section '{section}' no longer records its detector and threshold",
        hint=f"pass the table as returned by detect or store.predictions('{section}')",
    )


def provenance(
    detector: DetectorConfig,
    decisions: Iterable[Decision],
    more: Mapping[str, str] = MappingProxyType({}),
    *,
    name: str = "",
    created: str = "",
) -> Provenance:
    """Return the provenance of this detector's calls; ``more`` holds further facts, such as the Hub's commit.

    ``name`` is the name that people know the detector by. ``created`` is the time of the command, if several processes
    write its files; by default, it is now.
    """
    calibration = detector.calibration
    return Provenance(
        detector=detector.key,
        head=detector.head,
        encoder=detector.encoder.name if detector.encoder else "none",
        modalities=_in_words(detector.modalities),
        licence=detector.licence or "none",
        label_source=", ".join(sorted({section.label_source for section in detector.trained_on})),
        training_sections=tuple(section.id for section in detector.trained_on),
        threshold_rule=_describe_thresholds(decisions),
        calibration=f"{CALIBRATION_METHODS[calibration.method]}; calls use {_describe_weights(calibration.weights)}",
        versions={"spacrd": detector.spacrd_version, "torch": detector.torch_version},
        created=created or timestamp(),
        more=dict(more) | _about_prior(detector),
        name=name,
    )


def timestamp() -> str:
    """Return the time now, as files record it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _with_thumbnail(result: SectionResult, slide: Pyramid) -> SectionResult:
    """Return the result with the H&E around the called spots, at the coarsest stored resolution that pictures need."""
    um_per_px = result.slide_um_per_full_px or 1.0
    left, top, right, bottom = (px * um_per_px for px in section_viewport(result))
    part = slide.part((left, top, right, bottom), max(right - left, bottom - top) / MIN_PHOTO_PX)
    return replace(
        result,
        thumbnail=np.ascontiguousarray(part.pixels) if part.pixels.size else None,
        thumbnail_um_per_px=part.um_per_px,
        thumbnail_corner_um=part.corner_um,
    )


def _about_prior(detector: DetectorConfig) -> dict[str, str]:
    """Return how the detector uses what a section says of itself, and what it is not."""
    if detector.prior is None:
        shown = detector.head == DEFAULT_HEAD and detector.without_prior
        return {"prior": f"not used: {detector.without_prior}"} if shown else {}
    lists = f"gene lists of {detector.prior.lists.tissue}"
    if detector.built_in:
        return {"prior": f"{lists}; tumour-like tissue, not a test of malignancy: normal epithelium is tumour-like too"}
    return {"prior": f"beside the head, {lists}"}


def _describe_thresholds(decisions: Iterable[Decision]) -> str:
    """Return every threshold rule with its threshold, or with the range where sections differ."""
    thresholds: dict[str, list[float]] = {}
    for decision in decisions:
        thresholds.setdefault(decision.threshold_rule, []).append(decision.threshold)
    ranges = {rule: sorted({f"{min(values):.2f}", f"{max(values):.2f}"}) for rule, values in thresholds.items()}
    return "; ".join(f"{' to '.join(ends)}, {rule}" for rule, ends in ranges.items())


def _describe_weights(weights: Mapping[Any, float]) -> str:
    """Return the weight of every modality as text; a single one has no percentage."""
    if len(weights) == 1:
        (modalities,) = weights
        return f"{_in_words(modalities)} {'together' if '+' in modalities else 'alone'}"
    return ", ".join(f"{_in_words(modalities)} ({weight:.0%})" for modalities, weight in weights.items())


def _in_words(modalities: str) -> str:
    return modalities.replace("+", " and ")


def _is_about_labels(note: str, entry: SectionEntry) -> bool:
    """Return whether an ingestion note is about the section's labels, which calls do not use."""
    return bool(entry.label_source) and note.startswith(tuple(entry.label_source.split(", ")))
