"""What a detector records of its training."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spacrd_core.detector.config import EncoderRecord, PriorRecord, TrainingSection
from spacrd_core.prior.lists import load_gene_lists

if TYPE_CHECKING:
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble
    from spacrd_core.prior.options import PriorOptions


def prior_record(prior: PriorOptions | None) -> PriorRecord | None:
    """Return the record of how a training used what its sections say of themselves; None if it did not."""
    if prior is None:
        return None
    return PriorRecord(lists=load_gene_lists(prior.lists), **prior.model_dump(exclude={"lists", "use"}))


def encoder_record(name: str, section: SectionData | None) -> EncoderRecord | None:
    """Return the record of the encoder of a section's embeddings."""
    if section is None or section.recipe is None:
        return None
    recipe = section.recipe
    return EncoderRecord(name=name, options=dict(section.encoder_options), recipe_key=recipe.key, recipe=asdict(recipe))


def training_section(section: SectionData) -> TrainingSection:
    """Return the record of a training section."""
    return TrainingSection(
        id=section.id,
        patient=section.patient,
        platform=section.platform,
        identity=section.identity,
        label_source=section.label_source,
        content=section.content,
    )


def label_counts(section: SectionData) -> dict[str, int]:
    """Return the number of spots, and of those with each label."""
    counts = {name: int((section.labels == label).sum()) for name, label in (("cancer", 1), ("normal", 0))}
    return {"spots": len(section.labels), **counts}


def metrics_of(trained: CalibratedEnsemble) -> dict[str, Any]:
    """Return what a training measured, as it is stored."""
    return {
        "held_out": {section: asdict(metrics) for section, metrics in trained.held_out.items()},
        "reliability": {platform: asdict(reliability) for platform, reliability in trained.reliability.items()},
        "held_out_together": [[*group] for group in trained.held_out_together],
        "unread": dict(trained.unread),
        "curve": [
            {"phase": epoch.phase, "epoch": epoch.number, "losses": dict(epoch.losses)} for epoch in trained.curve
        ],
    }
