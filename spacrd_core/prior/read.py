"""Read what sections say of themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spacrd_core.cohort.evidence import Epithelium, SectionEvidence, TumourAmount
from spacrd_core.cohort.mixtures import mixture_masks
from spacrd_core.prior.gate import find_epithelium
from spacrd_core.prior.image import score_image
from spacrd_core.prior.neighbourhoods import Neighbourhoods
from spacrd_core.prior.score import score_genes
from spacrd_core.prior.section_genes import SectionGenes

if TYPE_CHECKING:
    from jaxtyping import Bool

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.prior.lists import GeneLists


def read_evidence(section: SectionData, lists: GeneLists, genes: SectionGenes | None = None) -> SectionEvidence:
    """Return what a section says of itself by gene lists and by the density of its H&E; labels are not read.

    Genes of another species give no evidence. ``genes`` are those of the section, if they are prepared already.
    """
    expression = section.expression
    if expression is not None and expression.species.name not in {"", lists.species}:
        expression = None
    genes = genes or SectionGenes.of(section)
    score = score_genes(genes, lists) if expression and genes else None
    image = (
        score_image(section.stain, Neighbourhoods.of(section.xy_um, section.pitch_um))
        if section.stain is not None
        else None
    )
    structure = {"genes": score.structure} if score else {}
    return SectionEvidence(
        genes=score.score if score else None,
        image=image[0] if image else None,
        loadings=score.loadings if score else None,
        amount=score.amount if score else TumourAmount(),
        epithelium=find_epithelium(expression, lists) if expression else Epithelium(),
        structure=structure | ({"image": image[1]} if image else {}),
    )


def with_evidence(section: SectionData, lists: GeneLists, genes: SectionGenes | None = None) -> SectionData:
    """Return a section with what it says of itself; ``genes`` are its own, if they are prepared already."""
    return replace(section, evidence=read_evidence(section, lists, genes))


def with_training_evidence(section: SectionData, lists: GeneLists) -> SectionData:
    """Return a labelled section with what it says of itself, whole and cut to other shares of tumour."""
    section = with_evidence(section, lists)
    if section.evidence is None or section.evidence.genes is None:
        return section
    masks = (mask for mask in mixture_masks(section) if mask.any())
    return replace(section, mixtures=tuple((mask, _mixture_evidence(section, mask, lists)) for mask in masks))


def _mixture_evidence(section: SectionData, mask: Bool[Array, " spots"], lists: GeneLists) -> SectionEvidence:
    """What a mixture is scored by: the genes of its spots, and the amount; of all spots it is known already."""
    if mask.all() and section.evidence:
        return SectionEvidence(genes=section.evidence.genes, amount=section.evidence.amount)
    genes = SectionGenes.of(section.select_spots(mask))
    score = score_genes(genes, lists) if genes else None
    return SectionEvidence(genes=score.score, amount=score.amount) if score else SectionEvidence()
