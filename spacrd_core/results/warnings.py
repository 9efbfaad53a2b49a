"""Warnings to read before relying on the calls of a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.modalities import join_modalities
from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.embedding.resolution import is_too_coarse
from spacrd_core.model.findings import Findings
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.records import TrainingSection

MAX_OOD_SHARE = 0.5  # share of spots above the out-of-distribution limit that a section may have
MANY_OOD = 0.2  # share from which they are mentioned: by definition, 5 % of the training spots are above the limit
TRAINED_ON, CALLED_FROM = "the detector was trained on", "called from"  # how warnings begin that the report picks out
MIN_SPOTS = 20  # genes are scaled within the section; fewer spots give no usable scale


def is_out_of_distribution(spots: pd.DataFrame) -> bool:
    """Return whether most spots of a section are unlike the tissue the detector was trained on."""
    return _ood_share(spots) > MAX_OOD_SHARE


def cautions(spots: pd.DataFrame) -> list[str]:
    """Return what was found about a section that tells how far to rely on its calls, the most serious first."""
    findings, copy_number = Findings.from_table(spots), CopyNumber.from_table(spots)
    share = float((spots["label"] == "cancer").mean()) if len(spots) else 0.0
    return [*findings.cautions, *copy_number.cautions(share, no_epithelium=findings.epithelium == "none")]


def training_overlap(section: str, patient: str, detector: DetectorConfig, content: Collection[str] = ()) -> str:
    """Return a warning if the detector was trained on this section or patient; '' otherwise.

    Sections are compared by checksums of what was measured; a detector of an earlier version has their names alone.
    """
    if any(_is_same(trained, section, content) for trained in detector.trained_on):
        return f"{TRAINED_ON} this section, so its calls here do not show how it performs on new sections"
    sections = [trained.id for trained in detector.trained_on if trained.patient == patient]
    if not sections:
        return ""
    return (
        f"{TRAINED_ON} a patient of the same name ({patient}: {listed(sections)}), so its calls here do not show how "
        "it performs on new patients"
    )


def coarse_slide(um_per_px: float, detector: DetectorConfig) -> str:
    """Return a warning if a slide is too coarse for the detector's encoder; '' otherwise."""
    encoder, recipe = detector.encoder, detector.recipe
    if encoder is None or recipe is None or not is_too_coarse(um_per_px, recipe):
        return ""
    return (
        f"the H&E has {um_per_px:.3g} um/px, coarser than the {recipe.um_per_px:g} um/px that '{encoder.name}' needs: "
        "what the calls take from the image is unreliable"
    )


def collect_warnings(
    section: str,
    spots: pd.DataFrame,
    detector: DetectorConfig,
    *,
    genes: bool,
    patient: str = "",
    slide_um_per_px: float = 0.0,
    content: Collection[str] = (),
) -> list[str]:
    """Return the warnings of a section, the most serious first.

    ``genes``: whether the section has any genes; ``slide_um_per_px``: of the stored slide, 0 without one; ``content``:
    its checksums (:mod:`spacrd_core.store.content`).
    """
    warnings = cautions(spots)
    if is_out_of_distribution(spots):
        warnings.append(
            f"{_ood_share(spots):.0%} of the spots are unlike the training tissue: do not rely on these calls"
        )
    elif _ood_share(spots) >= MANY_OOD:
        warnings.append(
            f"{_ood_share(spots):.0%} of the spots are unlike the training tissue (about 5% are expected): compare "
            "their calls with the tissue"
        )
    if len(spots) < MIN_SPOTS:
        warnings.append(f"{len(spots)} spots are too few to scale gene expression within the section: calls are rough")
    has_genes, has_image = bool(spots["gene_coverage"].any()), bool(spots["image_coverage"].any())
    modalities = join_modalities(genes=has_genes, image=has_image)
    if modalities in detector.calibrations and detector.calibrations[modalities].method == "none":
        warnings.append("the detector could not be calibrated on held-out patients: its probabilities are approximate")
    elif len({trained.patient for trained in detector.trained_on}) == 1:
        warnings.append("one patient trained the detector: how it performs on others is unknown")
    if overlap := training_overlap(section, patient, detector, content):
        warnings.append(overlap)
    if has_image and (coarse := coarse_slide(slide_um_per_px, detector)):
        warnings.append(coarse)
    slide = bool(slide_um_per_px)
    called_from = modalities_note(detector, genes=genes, slide=slide, has_genes=has_genes, has_image=has_image)
    if called_from and (slide or detector.image_dim):
        warnings.append(called_from)
    return warnings


def _is_same(trained: TrainingSection, section: str, content: Collection[str]) -> bool:
    return bool({*trained.content} & {*content}) if trained.content and content else trained.id == section


def modalities_note(detector: DetectorConfig, *, genes: bool, slide: bool, has_genes: bool, has_image: bool) -> str:
    """Return that a section was called from one modality alone and why; '' if it was called from both.

    ``genes`` and ``slide``: whether the section has them; ``has_genes`` and ``has_image``: whether they were used.
    """
    if has_genes and not has_image:
        return f"called from genes alone: {_why_no_image(detector, slide=slide)}"
    if has_image and not has_genes:
        return f"called from the image alone: {_why_no_genes(detector, genes=genes)}"
    return ""


def _why_no_image(detector: DetectorConfig, *, slide: bool) -> str:
    if detector.encoder is None:
        return "the detector does not read H&E"
    return f"the section has no embeddings from '{detector.encoder.name}'" if slide else "the section has no image"


def _why_no_genes(detector: DetectorConfig, *, genes: bool) -> str:
    if not detector.panel:
        return "the detector does not read genes"
    return "too few of the detector's genes were measured" if genes else "the section has no genes"


def _ood_share(spots: pd.DataFrame) -> float:
    return float((spots["ood"] > 1).mean())
