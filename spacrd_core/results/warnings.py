"""What a reader of a section's calls is to know before relying on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.modalities import view_of

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig

STRANGE = 0.5
FEW = 20


def wholly_strange(spots: pd.DataFrame) -> bool:
    """Whether most of a section is unlike the tissue the detector was trained on."""
    return float((spots["ood"] > 1).mean()) > STRANGE


def seen_in_training(section: str, patient: str, detector: DetectorConfig) -> str:
    """Return what a detector learned from of a section or its patient; nothing where it met neither."""
    if any(trained.id == section for trained in detector.trained_on):
        return "the detector was trained on this section: its calls here say nothing about new sections"
    others = [trained.id for trained in detector.trained_on if trained.patient == patient]
    if not others:
        return ""
    return (
        f"the detector was trained on patient {patient} ({', '.join(others)}): its calls here say nothing about new "
        "patients"
    )


def cautions(
    section: str, spots: pd.DataFrame, detector: DetectorConfig, *, genes: bool, patient: str = ""
) -> list[str]:
    """Return the cautions, the gravest first; ``genes`` says whether any genes of the section were counted."""
    found = []
    if wholly_strange(spots):
        share = float((spots["ood"] > 1).mean())
        found.append(f"{share:.0%} of the spots are unlike the training tissue: do not rely on these calls")
    if len(spots) < FEW:
        found.append(f"{len(spots)} spots are too few to compare with each other, as genes are read: rough calls")
    view = view_of(genes=bool(spots["gene_coverage"].any()), image=bool(spots["image_coverage"].any()))
    if view in detector.calibrations and detector.calibrations[view].method == "none":
        found.append("no held-out patients could calibrate the detector: its probabilities are rough")
    if known := seen_in_training(section, patient, detector):
        found.append(known)
    if detector.image_dim and not spots["image_coverage"].any():
        found.append("no image was read, though the detector knows H&E: called from genes alone")
    if detector.image_dim and detector.panel and not spots["gene_coverage"].any():
        why = "too few of the detector's genes were measured" if genes else "the section has no genes"
        found.append(f"no gene was read: {why}, it is called from the image alone")
    return found
