"""What a training learns from: the labelled sections, and how what they say of themselves is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from spacrd_core.cohort.batch import Dims
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import with_modalities
from spacrd_core.errors import TrainingError
from spacrd_core.model.combination import trusted_modalities
from spacrd_core.model.fit import require_phases
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Registry
    from spacrd_core.prior.options import PriorOptions

ANY_DIMS = Dims(genes=8, image=8)  # what a head uses does not depend on them


@dataclass(frozen=True)
class TrainingSet:
    """The labelled sections by id, without a modality that shows no tissue; ``unread`` names it, by section.

    ``prior`` tells how what the sections say of themselves is used; if it is None, ``without_prior`` says why.
    """

    sections: tuple[SectionData, ...]
    unread: dict[str, str]
    prior: PriorOptions | None
    without_prior: str

    @classmethod
    def select(cls, sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any]) -> Self:
        """Return the training set among these sections.

        Raises
        ------
        TrainingError
            If labels of both classes are missing, or some sections have neither genes nor an image.
        ConfigError
            If epochs are given for a phase that the head does not have; the head of a fold may have fewer phases.
        """
        labelled = sorted(_require_trainable(sections), key=lambda section: section.id)
        prior, without_prior = _usable_prior(labelled, options, heads)
        unread = {section.id: name for section in labelled if (name := _unread_modality(section))} if prior else {}
        read = tuple(without_modality(section, unread.get(section.id, "")) for section in labelled)
        if options.head.epochs:
            dims = Preprocessor.unfactored(read, options.cohort).dims
            require_phases(heads.create(options.head.name, options.head.options, dims=dims), options.head.epochs)
        return cls(read, unread, prior, without_prior)


def has_both_classes(sections: Sequence[SectionData]) -> bool:
    """Return whether a head can be trained on these sections."""
    return {label for section in sections for label in section.classes} == {0, 1}


def without_modality(section: SectionData, modality: str) -> SectionData:
    """Return a section as if ``genes`` or ``image`` had not been measured; as it is for an empty name."""
    return with_modalities(section, genes=modality != "genes", image=modality != "image")


def _unread_modality(section: SectionData) -> str:
    """The modality of a section that shows no tissue, so that it is not learned from; '' if there is none."""
    if section.evidence is None or section.expression is None or section.image is None:
        return ""
    trusted = trusted_modalities("image+genes", section.evidence)
    return {"image": "genes", "genes": "image"}.get(trusted, "")


def _usable_prior(
    sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any]
) -> tuple[PriorOptions | None, str]:
    """How the sections' own evidence is used; None, with the reason, if it does not suit their tissue."""
    if not options.prior.use:
        return None, "it was switched off"
    if not heads.create(options.head.name, options.head.options, dims=ANY_DIMS).uses_prior:
        return None, f"the head '{options.head.name}' does not use it"
    if any(section.evidence is None for section in sections):
        return None, "the training sections' own evidence was not read"
    answers = {section.evidence.epithelium.answer for section in sections if section.expression and section.evidence}
    if "none" in answers:
        return None, "training sections have no epithelium, and the gene lists are those of carcinoma"
    if answers == {"unknown"}:
        return None, "too few genes of the training sections tell whether they have epithelium"
    return options.prior, ""


def _require_trainable(sections: Sequence[SectionData]) -> list[SectionData]:
    """Return the labelled sections; raise TrainingError if they cannot train a head."""
    labelled = [section for section in sections if section.classes]
    classes = {label for section in labelled for label in section.classes}
    if classes != {0, 1}:
        present = {0: "only normal spots", 1: "only cancer spots"}.get(next(iter(classes), -1), "no labelled spot")
        raise TrainingError(
            f"training needs both cancer and normal spots, but found {present}", hint="spacrd ingest ... --labels FILE"
        )
    unreadable = [section.id for section in labelled if section.expression is None and section.image is None]
    if unreadable:
        raise TrainingError(
            f"sections without genes and without an image: {listed(unreadable)}",
            hint=f"ingest them with --image FILE, or exclude them (--exclude {unreadable[0]})",
        )
    return labelled
