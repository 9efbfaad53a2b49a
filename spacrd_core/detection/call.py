"""Call one section by a detector: its spot table, with the genes that drive the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import with_modalities
from spacrd_core.copy_number.read import read_copy_number
from spacrd_core.detection.attribution import attach_driving_genes, driving_genes
from spacrd_core.detection.predict import detector_coverage, lists_coverage, spot_table
from spacrd_core.genes.species import require_species
from spacrd_core.model.ensemble import SCORING_BATCH
from spacrd_core.model.reading import read_by_prior, read_section
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.read import with_evidence
from spacrd_core.prior.section_genes import SectionGenes

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.decision import DecisionRule


def call_section(
    detector: Detector, data: SectionData, rule: DecisionRule, *, batch_size: int = SCORING_BATCH
) -> pd.DataFrame:
    """Return a section's spot table, with its driving genes and what copy number says of it.

    See :func:`~spacrd_core.detection.predict.spot_table`. The column ``copy_number`` tells how far a spot follows the
    section's copy-number profile; it is missing if there is none, and does not change the call.

    Raises
    ------
    DetectorError
        If the section has nothing that the detector reads, is of another species, or its scores do not allow the
        threshold rule.
    """
    record, options = detector.config.prior, detector.prior
    own_genes = SectionGenes.of(data)
    whole = with_evidence(data, record.lists if record else carcinoma(), own_genes)
    data = whole if detector.config.panel else with_modalities(whole, genes=False, image=True)
    if detector.trained:
        section = detector.ensemble.prepare(data)
        reading = read_section(detector.ensemble, detector.calibrations, section, options, batch_size=batch_size)
        table = spot_table(reading, data, detector_coverage(section), rule)
        genes = driving_genes(reading, data, table, own_genes, ensemble=detector.ensemble, prepared=section)
    else:
        assert record and options  # noqa: S101, PT018 - the built-in detector is its gene lists
        if data.expression is not None:
            require_species(data.id, data.expression.species, record.lists.species)
        reading = read_by_prior(data, options)
        table = spot_table(reading, data, lists_coverage(data, record.lists), rule)
        genes = driving_genes(reading, data, table, own_genes)
    attach_driving_genes(genes, table)
    read_copy_number(whole, reading.disputed_score, genes=own_genes).attach(table)
    return table
