"""Gene panels: choose the genes a detector reads, and align any section to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import TrainingError
from spacrd_core.genes.expression import MISSING
from spacrd_core.genes.names import current_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spacrd_core.genes.expression import Expression


def most_variable(sections: Sequence[Expression]) -> list[str]:
    """Return the genes that are measured in every section, those that vary most within sections first.

    Variance is computed within each section and averaged, so that differences between patients and batches do not
    influence the order.
    """
    common = sorted(set.intersection(*(set(section.symbols) for section in sections)))
    if not common:
        raise TrainingError(
            "the training sections have no gene in common", hint="check whether gene symbols and Ensembl ids are mixed"
        )
    variance = np.zeros(len(common))
    for section in sections:
        variance += section.moments.variance[section.columns_of(common)]
    return [common[index] for index in np.argsort(-variance, kind="stable")]


def panel_ids(sections: Sequence[Expression], panel: Sequence[str]) -> tuple[str, ...]:
    """Return the Ensembl id of each gene of a panel, '' if no section has it."""
    ids: dict[str, str] = {}
    for section in sections:
        for symbol, gene_id in zip(section.symbols, section.gene_ids, strict=False):
            ids[symbol] = ids.get(symbol) or gene_id
    return tuple(ids.get(symbol, "") for symbol in panel)


def panel_columns(section: Expression, panel: Sequence[str], gene_ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the section's column of each panel gene: by Ensembl id, then by symbol, then by current HGNC symbol.

    The current symbol matters for detectors trained before a gene was renamed.
    """
    columns = section.columns_of(panel)
    if gene_ids:
        by_id = section.columns_of(gene_ids)
        columns = np.where(by_id == MISSING, columns, by_id)
    missing = np.flatnonzero(columns == MISSING).tolist()
    if section.species.may_be_human and missing:
        columns[missing] = section.columns_of([current_symbol(panel[index]) for index in missing])
    return columns
