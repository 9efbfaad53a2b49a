"""Why a section was called as it was: which modality told most of a spot, and which genes of the section."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.gene_rows import GeneRows
from spacrd_core.cohort.modalities import VIEWS
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.platt import Calibration

NAMES: Final[Mapping[str, str]] = {"genes": "genes", "image": "image", "image+genes": "fusion"}
LISTED = 20  # genes either way
MOST_SPOTS, BATCH = 500, 64
STEPS = 8  # the attributions then sum to the log odds within 0.1 %
KEY = "genes"


@dataclass(frozen=True)
class Driver:
    """A gene that pushes the spots called cancer towards cancer, or holds them back.

    Attributes
    ----------
    attribution
        What it adds to their log odds, in the mean; below 0 where it speaks for normal.
    mean_cancer, mean_normal
        Its mean expression (log1p of counts per 10,000) in the spots called so; None where none was called normal.
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
    seen: Bool[Array, " spots"],
) -> tuple[pd.Categorical, Float[Array, " spots"]]:
    """Return what contributes most to each spot's call, and how much: log odds beyond the section's mean.

    It is the view (``genes``, ``image``, or their ``fusion``) that most raises the log odds of a spot on the ``cancer``
    side of the threshold, or most lowers those of another. Spots in which nothing was ``seen`` have none.
    """
    odds = np.stack([slope * logits[view] for view, slope in calibration.slopes.items()]).astype(np.float64)
    if seen.any():
        odds -= odds[:, seen].mean(axis=1, keepdims=True)
    top = np.where(cancer, odds, -odds).argmax(axis=0)
    names = pd.Categorical.from_codes(
        np.where(seen, top, -1), categories=[NAMES[view] for view in calibration.slopes]
    ).set_categories(list(NAMES.values()))
    return names, np.where(seen, np.take_along_axis(odds, top[None], axis=0)[0], np.nan)


def driving_genes(
    ensemble: Ensemble, calibrations: Mapping[str, Calibration], section: SectionData, table: pd.DataFrame
) -> tuple[Driver, ...]:
    """Return the genes that push a section's cancer calls most towards cancer, then those that most hold them back.

    ``table`` is what :func:`~spacrd_core.detection.predict.predict` gave. Of more than 500 spots called cancer, 500 are
    looked at, drawn by a fixed seed. There are no such genes where nothing was called cancer, or from the image alone.
    """
    slopes = calibrations[ensemble.view(section)].slopes
    slopes = {view: slope for view, slope in slopes.items() if "genes" in VIEWS[view]}
    rows, spots = ensemble.lens.gene_rows(section), _drawn(np.flatnonzero(table["label"] == "cancer"))
    if rows is None or not slopes or not len(spots):
        return ()
    added = gene_attributions(ensemble, slopes, section, spots)
    cancer, normal = (_mean(rows, (table["label"] == label).to_numpy()) for label in ("cancer", "normal"))
    names = [gene for gene, there in zip(ensemble.lens.panel, rows.measured, strict=True) if there]
    return tuple(
        Driver(names[gene], float(added[gene]), float(cancer[gene]), _known(normal[gene])) for gene in _foremost(added)
    )


def gene_attributions(
    ensemble: Ensemble, slopes: Mapping[str, float], section: SectionData, spots: Int[Array, " some"]
) -> Float[Array, " measured"]:
    """Return what each gene that the section measures adds to the log odds of some spots, in their mean.

    Integrated gradients (Sundararajan, Taly and Yan 2017) on the straight line from the section's mean expression to
    what the spots and their neighbours have; images stay as they are. They sum to what expression changes in the spots'
    log odds, ``slope * logit`` over views, before these are averaged over like tissue.
    """
    rows = ensemble.lens.gene_rows(section)
    if rows is None:
        raise ValueError(f"no gene of section '{section.id}' is read")
    usual = rows.scale(_mean(rows, np.ones(len(rows), dtype=bool)))[None]
    start = torch.from_numpy(rows.reading(usual)).to(ensemble.device)
    cohort = Cohort.to_score(section, ensemble.lens, ensemble.device, batch_size=BATCH)
    total = np.zeros(usual.shape[1])
    for centres in torch.from_numpy(spots).split(BATCH):
        own = rows.values[cohort.needed(centres).numpy()]  # noqa: PD011 - a sparse matrix, no frame
        beyond = rows.scale(own.toarray()) - usual
        gradient = _mean_gradient(ensemble, slopes, cohort.batch(centres), start).cpu().numpy()
        total += np.einsum("sg,gs->g", beyond, rows.reading.pulled(gradient.T), dtype=np.float64)
    return total / len(spots)


def _mean_gradient(
    ensemble: Ensemble, slopes: Mapping[str, float], batch: Batch, start: Float[Tensor, "1 panel"]
) -> Float[Tensor, "spots panel"]:
    """The gradient of the centres' log odds, averaged along the line (Gauss and Legendre's rule)."""
    if batch.genes is None:
        raise ValueError("the batch has no genes")
    total = torch.zeros_like(batch.genes)
    for place, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        genes = torch.lerp(start, batch.genes, (float(place) + 1) / 2).requires_grad_()
        seen = replace(batch, genes=genes)
        odds = [
            slope * head.score(seen.seen_by(view)).sum() for view, slope in slopes.items() for head in ensemble.heads
        ]
        gradient = _gradient(torch.stack(odds).sum(), genes)
        total += gradient * (float(weight) / 2)
    return total / len(ensemble.heads)


def _gradient(odds: Float[Tensor, ""], genes: Float[Tensor, "spots panel"]) -> Float[Tensor, "spots panel"]:
    """The gradient by the genes; zero by those a head leaves torch for, which then drive nothing that can be told."""
    gradient = torch.autograd.grad(odds, genes, allow_unused=True)[0] if odds.requires_grad else None
    return torch.zeros_like(genes) if gradient is None else gradient


def _drawn(spots: Int[Array, " spots"]) -> Int[Array, " some"]:
    """As many of the spots as are looked at."""
    if len(spots) <= MOST_SPOTS:
        return spots
    return np.sort(np.random.default_rng(0).choice(spots, MOST_SPOTS, replace=False))


def _mean(rows: GeneRows, spots: Bool[Array, " spots"]) -> Float[Array, " measured"]:
    """The mean expression of some spots; not a number where there are none."""
    share = spots / spots.sum() if spots.any() else np.full(len(spots), np.nan)
    return np.asarray(share @ rows.values)  # noqa: PD011 - a sparse matrix, no frame


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _foremost(added: Float[Array, " genes"]) -> list[int]:
    """The genes that add most, the most first; then those that take most off."""
    order = np.argsort(-added, kind="stable")
    up, down = order[:LISTED], order[::-1][:LISTED]
    return [*up[added[up] > 0].tolist(), *down[added[down] < 0].tolist()]


def write_drivers(drivers: Sequence[Driver], table: pd.DataFrame) -> None:
    """Write them on a spot table; the store keeps them with the table."""
    table.attrs[KEY] = [asdict(driver) for driver in drivers]


def drivers_of(table: pd.DataFrame) -> tuple[Driver, ...]:
    """Return what a spot table says of them; none where an older SpaCRD wrote it."""
    return tuple(Driver(**facts) for facts in table.attrs.get(KEY, ()))
