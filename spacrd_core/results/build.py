"""From the store and a spot table to what the writers take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.modalities import view_of
from spacrd_core.detection.attribution import drivers_of
from spacrd_core.model.decision import Called
from spacrd_core.results.files.xenium_groups import cells_forgotten, no_cell_groups
from spacrd_core.results.report.viewport import window
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.results.warnings import cautions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.slide.pyramid import Pyramid
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

PICTURE_PX = 2400
METHODS = {"platt": "Platt scaling on patients held out", "none": "none, as no patient was held out"}
LATER: Mapping[str, object] = MappingProxyType({"set": None, "top_modality": None, "top_contribution": np.nan})


def section_result(store: SpotStore, section: str, spots: pd.DataFrame, detector: DetectorConfig) -> SectionResult:
    """Return a section's calls with the tissue they lie on."""
    entry, called = store.entry(section), how_called(spots, detector)
    pyramid, adata = store.pyramid(section), store.section(section)
    cautious = cautions(section, spots, detector, genes=bool(adata.n_vars), patient=entry.patient)
    forgotten = (no_cell_groups(section),) if cells_forgotten(store, section) else ()
    remarks = tuple(note for note in entry.notes if _matters(note, entry))
    result = SectionResult(
        section_id=section,
        patient=entry.patient,
        platform=entry.platform,
        adata=adata,
        spots=spots.assign(**{name: missing for name, missing in LATER.items() if name not in spots}),
        um_per_px=entry.um_per_px,
        spot_um=entry.spot_um,
        spot_shape=entry.spot_shape,
        pitch_um=entry.pitch_um,
        threshold=called.threshold,
        threshold_rule=called.threshold_rule,
        alpha=called.alpha,
        slide=pyramid,
        image_px_per_full_px=entry.slide.image_px_per_full_px if entry.slide else 1.0,
        slide_um_per_full_px=store.slide_scale(section) if pyramid else None,
        genes=drivers_of(spots),
        spot_of_cell=store.spot_of_cell(section),
        notes=(*cautious, *forgotten, *remarks),
        remarks=remarks,
    )
    return _with_picture(result, pyramid) if pyramid else result


def _with_picture(result: SectionResult, slide: Pyramid) -> SectionResult:
    """Return the result with the H&E of the called spots, as fine as pictures need it."""
    um_per_px = result.slide_um_per_full_px or 1.0
    left, top, right, bottom = (place * um_per_px for place in window(result))
    shown = slide.crop((left, top, right, bottom), PICTURE_PX)
    return replace(
        result,
        thumbnail=shown.pixels if shown.pixels.size else None,
        thumbnail_um_per_px=shown.um_per_px,
        thumbnail_corner_um=shown.corner_um,
    )


def how_called(spots: pd.DataFrame, detector: DetectorConfig) -> Called:
    """Return how a section was called: what its table says, or the detector's own where an older SpaCRD wrote it."""
    called = Called.of(spots)
    if called is None:
        calibration = detector.calibrations[_view(spots)]
        called = Called(calibration.threshold, calibration.threshold_rule)
    return called


def provenance(
    detector: DetectorConfig, called: Iterable[Called], more: Mapping[str, str] = MappingProxyType({})
) -> Provenance:
    """Return where calls of this detector come from; ``more`` is what else is known of it."""
    calibration = detector.calibration
    return Provenance(
        detector=detector.key,
        head=detector.head,
        encoder=detector.encoder.name if detector.encoder else "none",
        modalities=detector.modalities.replace("+", " and "),
        licence=detector.licence or "none",
        label_source=", ".join(sorted({section.label_source for section in detector.trained_on})),
        training_sections=tuple(section.id for section in detector.trained_on),
        threshold_rule=_thresholds(list(called)),
        calibration=f"{METHODS[calibration.method]}; calls rest on {_shares(calibration.shares)}",
        versions={"spacrd": detector.spacrd_version, "torch": detector.torch_version},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        more=dict(more),
    )


def _thresholds(called: Sequence[Called]) -> str:
    """The rules of some sections, each with its threshold, or from which to which where sections differ."""
    found: dict[str, list[float]] = {}
    for one in called:
        found.setdefault(one.threshold_rule, []).append(one.threshold)
    spans = {rule: sorted({f"{min(values):.2f}", f"{max(values):.2f}"}) for rule, values in found.items()}
    return "; ".join(f"{' to '.join(span)}, {rule}" for rule, span in spans.items())


def _view(spots: pd.DataFrame) -> str:
    """What a spot table was read by."""
    return view_of(genes=bool(spots["gene_coverage"].any()), image=bool(spots["image_coverage"].any()))


def _shares(shares: Mapping[str, float]) -> str:
    """How much each way of reading counts: one alone in words, several as shares."""
    if len(shares) == 1:
        return f"{next(iter(shares)).replace('+', ' and ')} alone"
    return ", ".join(f"{view.replace('+', ' and ')} ({share:.0%})" for view, share in shares.items())


def _matters(note: str, entry: SectionEntry) -> bool:
    """Whether a note of the ingest matters to calls, which look at no label."""
    return not (entry.label_source and note.startswith(entry.label_source))
