"""A small carcinoma that expresses the gene lists, its H&E dense in the tumour; without any file."""

import numpy as np
from scipy import sparse

from spacrd_core.arrays import Array
from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.lists import carcinoma

SIDE, PITCH_UM, OTHERS = 12, 200.0, 120
RATES = {"positive": (6.0, 2.0), "negative": (3.8, 8.0)}  # counts of a gene in tumour and around it; equal in sum
WINDOWS, FEATURES_PER_WINDOW, TISSUE, NUCLEI = 3, 7, 0, 3
LISTS = carcinoma()
POSITIVE, NEGATIVE = (tuple(sum(side.values(), ())) for side in (LISTS.positive, LISTS.negative))
EPITHELIAL = LISTS.positive["epithelium"]
SYMBOLS = (*POSITIVE, *NEGATIVE, *(f"OTHER{number}" for number in range(OTHERS)))


def half_tumour() -> Array:
    """Return which spots of the lattice are tumour: the left half."""
    return np.arange(SIDE**2) % SIDE < SIDE // 2


def carcinoma_counts(tumour: Array, seed: int = 0, *, epithelium: float = 1.0) -> Array:
    """Return counts of ``SYMBOLS``; ``epithelium`` multiplies the rates of the epithelial genes."""
    rng = np.random.default_rng(seed)
    rates = np.full((len(tumour), len(SYMBOLS)), 3.0)
    for names, (inside, outside) in zip((POSITIVE, NEGATIVE), RATES.values(), strict=True):
        rates[:, columns(names)] = np.where(tumour, inside, outside)[:, None]
    rates[:, columns(EPITHELIAL)] *= epithelium
    return rng.poisson(rates * rng.uniform(0.7, 1.4, len(tumour))[:, None])


def columns(names: tuple[str, ...]) -> list[int]:
    """Return the columns of genes in the counts."""
    return [SYMBOLS.index(name) for name in names]


def carcinoma_section(
    patient: str = "A",
    seed: int = 0,
    *,
    tumour: Array | None = None,
    epithelium: float = 1.0,
    genes: bool = True,
    image: bool = False,
) -> SectionData:
    """Return a section, half of it tumour unless told otherwise, with genes, an image, or both."""
    tumour = half_tumour() if tumour is None else tumour
    counts = carcinoma_counts(tumour, seed, epithelium=epithelium)
    spot = np.arange(len(tumour))
    stain = stain_features(tumour, seed)
    return SectionData(
        id=f"{patient}{seed}",
        patient=patient,
        platform="st",
        identity=f"carcinoma{seed}",
        label_source="made",
        pitch_um=PITCH_UM,
        spot_ids=tuple(f"{number % SIDE}x{number // SIDE}" for number in spot),
        xy_um=PITCH_UM * np.column_stack([spot % SIDE, spot // SIDE]),
        labels=tumour.astype(np.int64),
        expression=Expression.from_counts(sparse.csr_matrix(counts), SYMBOLS) if genes else None,
        image=stain if image else None,
        image_coverage=np.ones(len(spot), dtype=np.float32) if image else None,
        recipe=Recipe(input_px=8, um_per_px=14.0, dim=stain.shape[1]) if image else None,
        stain=stain if image else None,
    )


def stain_features(tumour: Array, seed: int) -> Array:
    """Return features of the staining: noise, but for tissue and nuclei, which are dense in the tumour."""
    values = np.random.default_rng(seed + 1000).normal(0, 1, (len(tumour), WINDOWS, FEATURES_PER_WINDOW))
    values[:, :, [TISSUE, NUCLEI]] += 2.0 * tumour[:, None, None]
    return values.reshape(len(tumour), -1).astype(np.float32)
