"""Explanations of a section's calls: the modality that contributes most to a spot, and the driving genes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.gene_rows import GeneProjection
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.panel import panel_columns
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.head import Head
from spacrd_core.model.platt import Calibration
from spacrd_core.model.reading import Reading
from spacrd_core.prior.score import gene_contributions
from spacrd_core.prior.section_genes import SectionGenes

MODALITY_LABELS: Final[Mapping[str, str]] = {"genes": "genes", "image": "image", "image+genes": "fusion"}
GENES_LISTED = 20  # in each direction
MAX_SPOTS, BATCH = 500, 64
STEPS = 8  # with which attributions sum to the log odds within 0.1 %
TABLE_KEY = "genes"  # in a spot table's attrs


@dataclass(frozen=True)
class DrivingGene:
    """A gene that raises or lowers the probability of the spots called cancer.

    Attributes
    ----------
    attribution
        Mean contribution to their log odds; below 0 if the gene is evidence for normal.
    mean_cancer, mean_normal
        Mean expression (log1p of counts per 10,000) of the spots called cancer and normal; None without normal spots.
    """

    gene: str
    attribution: float
    mean_cancer: float
    mean_normal: float | None


def top_modality(
    calibration: Calibration,
    logits: Mapping[str, Float[Array, " spots"]],
    *,
    cancer: Bool[Array, " spots"],
    measured: Bool[Array, " spots"],
) -> tuple[pd.Categorical, Float[Array, " spots"]]:
    """Return the modality that contributes most to each spot's call, and its log odds relative to the section's mean.

    It is the one (``genes``, ``image``, or their ``fusion``) that most raises the log odds of a ``cancer`` spot, or
    most lowers those of another. Spots that are not ``measured`` have none.
    """
    odds = np.stack([slope * logits[name] for name, slope in calibration.slopes.items()]).astype(np.float64)
    if measured.any():
        odds -= odds[:, measured].mean(axis=1, keepdims=True)
    top = np.where(cancer, odds, -odds).argmax(axis=0)
    labels = pd.Categorical.from_codes(
        np.where(measured, top, -1), categories=[MODALITY_LABELS[name] for name in calibration.slopes]
    ).set_categories(list(MODALITY_LABELS.values()))
    return labels, np.where(measured, np.take_along_axis(odds, top[None], axis=0)[0], np.nan)


def driving_genes(
    reading: Reading,
    section: SectionData,
    table: pd.DataFrame,
    genes: SectionGenes | None = None,
    *,
    ensemble: Ensemble | None = None,
    prepared: PreparedSection | None = None,
) -> tuple[DrivingGene, ...]:
    """Return the genes that most raise the log odds of a section's cancer calls, then those that most lower them.

    ``table`` is the spot table of the reading; ``genes`` are those of the section, if they are prepared already. The
    built-in detector has neither ``ensemble`` nor prepared section. Of more than 500 spots called cancer, 500 are drawn
    with a fixed seed. There are no driving genes if no spot was called cancer, or if only the image was used.
    """
    expression, spots = section.expression, _sample_spots(np.flatnonzero(table["label"] == "cancer"))
    if expression is None or not len(spots):
        return ()
    attributions = np.zeros(len(expression.symbols))
    slopes = {name: slope for name, slope in reading.head_slopes.items() if "genes" in MODALITIES[name]}
    if ensemble and prepared and prepared.genes is not None and slopes:
        columns = panel_columns(expression, ensemble.preprocessor.panel, ensemble.preprocessor.panel_ids)
        by_head = gene_attributions(ensemble, slopes, prepared, spots)
        np.add.at(attributions, columns[prepared.genes.measured], by_head)
    if reading.evidence_slope and reading.evidence and reading.evidence.loadings is not None:
        own_genes = genes or SectionGenes(expression, section.xy_um, section.pitch_um)
        by_lists = gene_contributions(own_genes, reading.evidence.loadings, spots)
        attributions += reading.evidence_slope * by_lists
    strongest = _strongest(attributions)
    values = expression.values[:, strongest]  # noqa: PD011 - a sparse matrix, no frame
    means = [_mean_expression(values, (table["label"] == label).to_numpy()) for label in ("cancer", "normal")]
    return tuple(
        DrivingGene(expression.symbols[gene], float(attributions[gene]), float(cancer), _finite_or_none(normal))
        for gene, cancer, normal in zip(strongest, *means, strict=True)
    )


def gene_attributions(
    ensemble: Ensemble, slopes: Mapping[str, float], section: PreparedSection, spots: Int[Array, " selected"]
) -> Float[Array, " measured"]:
    """Return the mean contribution of each measured gene to the log odds of some spots.

    Integrated gradients (Sundararajan, Taly and Yan 2017) along the straight line from the section's mean expression to
    the expression of the spots and their neighbours; images are unchanged. They sum to the change in the spots' log
    odds, ``slope * logit`` over modalities, before smoothing over similar tissue.
    """
    genes = section.genes
    if genes is None:
        raise ValueError(f"the genes of section '{section.section.id}' are not read")
    mean = genes.scaler(section.aligned.gene_moments.mean[None])
    start = torch.from_numpy(genes.projection(mean)).to(ensemble.device)
    cohort = Cohort.for_scoring(section, ensemble.device)
    total = np.zeros(mean.shape[1])
    for centres in torch.from_numpy(spots).split(BATCH):
        counted = genes.counted(cohort.needed(centres).numpy())
        difference, batch = genes.scaler(counted.toarray()) - mean, cohort.batch(centres)
        for head in ensemble.heads:
            matrices = head.matrices()
            last = batch.project(matrices)
            first = replace(batch, genes=start).project(matrices)
            gradient = _mean_gradient(head, slopes, first, last).cpu().numpy()
            total += _by_gene(difference, gradient, genes.projection, matrices.get("genes"))
    return total / len(spots) / len(ensemble.heads)


def _by_gene(
    difference: Float[Array, "spots measured"],
    gradient: Float[Array, "spots d"],
    projection: GeneProjection,
    matrix: Float[Tensor, "panel d"] | None,
) -> Float[Array, " measured"]:
    """The sum over spots of each gene's difference times the gradient with respect to it.

    ``gradient`` is with respect to the genes that a head reads, or to their product with a ``matrix``.
    """
    if matrix is None:
        return np.asarray(np.einsum("sg,gs->g", difference, projection.matmat(gradient.T), dtype=np.float64))
    weights = projection.matmat(matrix.cpu().numpy())
    return np.asarray(np.einsum("gd,gd->g", difference.T @ gradient, weights, dtype=np.float64))


def _mean_gradient(head: Head, slopes: Mapping[str, float], first: Batch, last: Batch) -> Float[Tensor, "spots d"]:
    """The gradient of the centres' log odds with respect to the genes of a batch as a head reads them.

    It is averaged along the line from the genes of the first batch to those of the last (Gauss-Legendre quadrature).
    """
    if first.genes is None or last.genes is None:
        raise ValueError("the batch has no genes")
    total = torch.zeros_like(last.genes)
    for node, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        genes = torch.lerp(first.genes, last.genes, (float(node) + 1) / 2).requires_grad_()
        interpolated = replace(last, genes=genes)
        odds = [slope * head.score(interpolated.select(name)).sum() for name, slope in slopes.items()]
        total += _gradient(torch.stack(odds).sum(), genes) * (float(weight) / 2)
    return total


def _gradient(odds: Float[Tensor, ""], genes: Float[Tensor, "spots d"]) -> Float[Tensor, "spots d"]:
    """The gradient with respect to the genes; zero if a head computes outside torch, so that no gene is attributed."""
    gradient = torch.autograd.grad(odds, genes, allow_unused=True)[0] if odds.requires_grad else None
    return torch.zeros_like(genes) if gradient is None else gradient


def _sample_spots(spots: Int[Array, " spots"]) -> Int[Array, " selected"]:
    """At most ``MAX_SPOTS`` of the spots."""
    if len(spots) <= MAX_SPOTS:
        return spots
    return np.sort(np.random.default_rng(0).choice(spots, MAX_SPOTS, replace=False))


def _mean_expression(values: sparse.csr_matrix[Any], spots: Bool[Array, " spots"]) -> Float[Array, " genes"]:
    """The mean expression of some spots; NaN if there are none."""
    weights = spots / spots.sum() if spots.any() else np.full(len(spots), np.nan)
    return np.asarray(weights @ values)


def _finite_or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _strongest(attributions: Float[Array, " genes"]) -> list[int]:
    """The genes with the largest positive attributions in falling order, then those with the most negative ones."""
    order = np.argsort(-attributions, kind="stable")
    highest, lowest = order[:GENES_LISTED], order[::-1][:GENES_LISTED]
    return [*highest[attributions[highest] > 0].tolist(), *lowest[attributions[lowest] < 0].tolist()]


def attach_driving_genes(genes: Sequence[DrivingGene], table: pd.DataFrame) -> None:
    """Store driving genes in a spot table; the store keeps them with the table."""
    table.attrs[TABLE_KEY] = [asdict(gene) for gene in genes]


def driving_genes_from_table(table: pd.DataFrame) -> tuple[DrivingGene, ...]:
    """Return the driving genes stored in a spot table."""
    return tuple(DrivingGene(**gene) for gene in table.attrs.get(TABLE_KEY, ()))
