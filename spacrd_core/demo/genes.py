"""Simulated counts: an expression programme per tissue class, effects of patient and platform, and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacrd_core.demo.tissue import FAT, GLANDS, IMMUNE, STROMA, TISSUE_CLASSES, TUMOUR

Values = NDArray[np.float64]
Counts = NDArray[np.int64]
ClassIndices = NDArray[np.intp]

EPITHELIUM = ("EPCAM", "KRT8", "KRT18", "KRT19", "KRT7", "CDH1", "CLDN3", "CLDN4", "CLDN7", "ELF3", "SPINT2", "TACSTD2")
MARKERS: dict[int, tuple[str, ...]] = {
    TUMOUR: (
        *("ERBB2", "GRB7", "STARD3", "MIEN1", "PGAP3", "FASN", "SCD", "MKI67", "TOP2A", "CCNB1", "CDK1", "BIRC5"),
        *("MUCL1", "FOXA1", "GATA3", "ESR1", "TFF1", "TFF3", "AGR2", "XBP1", "CEACAM6", "S100A9", "S100P", "MYC"),
    ),
    STROMA: (
        *("COL1A1", "COL1A2", "COL3A1", "COL5A1", "COL6A1", "COL6A3", "FN1", "SPARC", "POSTN", "THBS2", "LUM", "DCN"),
        *("FBLN1", "FAP", "ACTA2", "TAGLN", "MMP2", "MMP11", "PDGFRB", "VIM", "TIMP1", "CTHRC1", "BGN", "VCAN"),
    ),
    FAT: ("ADIPOQ", "PLIN1", "PLIN4", "FABP4", "LPL", "CIDEC", "CD36", "LEP", "GPD1", "AQP7", "ADH1B", "CFD"),
    IMMUNE: (
        *("CD3D", "CD3E", "CD2", "CD8A", "TRBC2", "IL7R", "CCL5", "CXCL13", "CXCR4", "LTB", "MS4A1", "CD79A"),
        *("IGKC", "IGHG1", "IGHM", "JCHAIN", "MZB1", "CD74", "HLA-DRA", "CD37", "CORO1A", "PTPRC", "LYZ", "C1QA"),
    ),
    GLANDS: ("KRT5", "KRT14", "KRT17", "KRT15", "SCGB2A2", "PIP", "LTF", "OXTR", "MYLK", "SFRP1", "KIT", "PTN"),
}
HOUSEKEEPING_GENES = (
    *(f"RPL{n}" for n in range(3, 40)),
    *(f"RPS{n}" for n in range(2, 30)),
    *(f"PSM{family}{n}" for family in "ABC" for n in range(1, 7)),
    *(f"NDUFA{n}" for n in range(1, 14)),
    *(f"COX{n}" for n in ("4I1", "5A", "5B", "6A1", "6B1", "6C", "7A2", "7B", "7C", "8A")),
    *(f"EIF{n}" for n in ("1", "1AX", "2S1", "3A", "3B", "3C", "3D", "3E", "4A1", "4B", "4E", "4G1", "5", "5A", "6")),
    *(f"HSP{n}" for n in ("A1A", "A5", "A8", "A9", "B1", "D1", "E1", "H1", "90AA1", "90AB1", "90B1")),
    *("ACTB", "ACTG1", "GAPDH", "B2M", "TPT1", "EEF1A1", "EEF2", "UBC", "UBB", "FTL", "FTH1", "TMSB4X", "TMSB10"),
    *(f"ZNF{n}" for n in range(7, 107)),
    *(f"SLC25A{n}" for n in range(1, 47)),
)
GENES = tuple(
    dict.fromkeys((*EPITHELIUM, *(gene for genes in MARKERS.values() for gene in genes), *HOUSEKEEPING_GENES))
)
OFF_PANEL_PREFIXES = ("RPL", "RPS", "NDUFA", "PSM")
PANEL = tuple(gene for gene in GENES if not gene.startswith(OFF_PANEL_PREFIXES))
IDS = tuple(
    f"ENSG{99_000_000_000 + number}" for number in range(len(GENES))
)  # made up, outside the range of real Ensembl ids
DEPTH = {TUMOUR: 1.0, STROMA: 0.7, FAT: 0.3, IMMUNE: 0.9, GLANDS: 0.9}  # RNA per area, relative to tumour


@dataclass(frozen=True)
class Programmes:
    """Expression of each gene in each tissue class (classes x genes)."""

    expression: Values

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Programmes:
        """Return programmes in which markers are raised by a factor of about 2 to 6."""
        base = rng.normal(-1.0, 1.2, len(GENES))
        logs = base + rng.normal(0.0, 0.15, (len(TISSUE_CLASSES), len(GENES)))
        for tissue_class, genes in MARKERS.items():
            logs[tissue_class, _gene_indices(genes)] += rng.uniform(0.6, 1.8, len(genes))
        for tissue_class in (TUMOUR, GLANDS):  # healthy glands are epithelium too
            logs[tissue_class, _gene_indices(EPITHELIUM)] += rng.uniform(0.6, 1.6, len(EPITHELIUM))
        return cls(np.exp(logs))

    def for_patient(self, rng: np.random.Generator) -> Programmes:
        """Return the programmes of one patient, with random changes per gene and per class."""
        per_class = rng.normal(0.0, 0.55, self.expression.shape)
        return Programmes(self.expression * np.exp(rng.normal(0.0, 0.45, len(GENES)) + per_class))

    def for_platform(self, rng: np.random.Generator) -> Programmes:
        """Return the programmes as a platform measures them: its chemistry captures some genes better than others."""
        return Programmes(self.expression * np.exp(rng.normal(0.0, 0.4, len(GENES))))

    def spot_counts(self, rng: np.random.Generator, shares: Values, *, median: float) -> Counts:
        """Return counts (spots x genes) for spots with these shares of the tissue classes."""
        mixed = shares * rng.gamma(2.5, 1 / 2.5, shares.shape)  # capture differs from the tissue underneath
        mean = mixed @ self._profiles(self.expression) * median * np.exp(rng.normal(0.0, 0.45, (len(shares), 1)))
        return np.asarray(rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, mean.shape)))

    def cell_counts(self, rng: np.random.Generator, class_indices: ClassIndices, *, median: float) -> Counts:
        """Return counts (cells x panel genes) for cells of these classes."""
        profiles = self._profiles(self.expression[:, _gene_indices(PANEL)])
        return np.asarray(
            rng.poisson(profiles[class_indices] * median * np.exp(rng.normal(0.0, 0.6, (len(class_indices), 1))))
        )

    @staticmethod
    def _profiles(expression: Values) -> Values:
        """Return the RNA per gene of each class, relative to the total RNA of tumour."""
        depth = np.array([[DEPTH[tissue_class]] for tissue_class in sorted(DEPTH)])
        return np.asarray(depth * expression / expression.sum(axis=1, keepdims=True))


def _gene_indices(genes: tuple[str, ...]) -> list[int]:
    return [GENES.index(gene) for gene in genes]
