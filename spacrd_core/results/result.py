"""The calls of one section and their provenance: the input of every writer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.detection.bands import Bands
from spacrd_core.errors import GeometryError
from spacrd_core.model.findings import Findings
from spacrd_core.results.margins import Margins, border_distances
from spacrd_core.results.regions import Region, Tessellation, tessellate
from spacrd_core.results.warnings import is_out_of_distribution
from spacrd_core.section.geometry import fit_affine

if TYPE_CHECKING:
    from collections.abc import Mapping

    import anndata as ad
    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_core.detection.attribution import DrivingGene
    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.section.section import SpotShape
    from spacrd_core.slide.pyramid import Pyramid

Label = Literal["cancer", "normal", "uncertain"]


class LabelStyle(NamedTuple):
    """Display name and colour of a label."""

    name: str
    colour: tuple[int, int, int]

    @property
    def hex_colour(self) -> str:
        """The colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


SET_NAMES = ("cancer", "normal", "both", "none")
MODALITY_NAMES = ("genes", "image", "fusion")
LABEL_STYLES: dict[Label, LabelStyle] = {
    "cancer": LabelStyle("Cancer", (200, 0, 0)),
    "normal": LabelStyle("Normal", (70, 130, 180)),
    "uncertain": LabelStyle("Uncertain", (230, 160, 0)),
}
LABEL_NAMES = {label: style.name for label, style in LABEL_STYLES.items()}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The detector that made the calls and what it was trained on; the report shows every value.

    Attributes
    ----------
    detector
        The key of the detector, which is needed to repeat the calls.
    name
        The name that people know it by: its folder, its address on the Hub, or ``prior``; empty if it has none.
    modalities
        ``image and genes``, ``genes`` or ``image``.
    licence
        The licence of the encoder's weights, which also applies to the calls.
    label_source
        The source of the labels in the training sections.
    created
        ISO 8601, UTC.
    more
        Further facts by display name.
    """

    detector: str
    head: str
    encoder: str
    modalities: str
    licence: str
    label_source: str
    training_sections: tuple[str, ...]
    threshold_rule: str
    calibration: str
    versions: Mapping[str, str]
    created: str
    more: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return all fields but the name, which is that of one machine, as JSON-compatible values."""
        fields = asdict(self) | {"training_sections": list(self.training_sections)}
        return {key: value for key, value in fields.items() if key != "name"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SectionResult:
    """The calls of one section, with what is needed to draw them on its tissue.

    Attributes
    ----------
    adata
        The section as stored; ``obs`` has ``x_um``, ``y_um``, ``x_px`` and ``y_px``.
    spots
        The spot table, indexed by spot id; any subset of the section in any order. Columns: ``probability`` in [0, 1],
        ``label`` (cancer, normal, uncertain), ``spread`` over the ensemble, ``ood`` (above 1: unlike the training
        spots), ``agreement`` (of the detector with what the section says of itself), ``gene_coverage``,
        ``image_coverage``, ``set`` (conformal set: cancer, normal, both, none), ``top_modality`` (the modality that
        contributes most to the call: genes, image, fusion), ``top_contribution`` (its contribution, log odds),
        ``doubtful`` (uncertain at any threshold) and ``copy_number`` (how far the spot follows the section's
        copy-number profile). Values may be missing.
    threshold, threshold_rule
        The probability from which spots are called cancer, and the rule it comes from.
    alpha
        The error level of the conformal sets; None without sets.
    um_per_px, slide_um_per_full_px
        um per full-resolution px: in the coordinates of the spots, and in those of the slide.
    image_px_per_full_px
        px of the user's image per full-resolution px: below 1 if that image is coarser.
    viewer_corner_px
        px of the user's image at the top left corner of what viewers show of it.
    spot_um, spot_shape, pitch_um
        The footprint of a spot and the distance between neighbours.
    slide
        The slide at all resolutions, read lazily.
    thumbnail, thumbnail_um_per_px, thumbnail_corner_um
        The part of the slide around the spots, for pictures: 8-bit RGB (height, width, 3), its um/px, and its top left
        corner in the slide (left, top).
    genes
        The genes that drive the calls; those that push towards cancer come first.
    spot_of_cell
        The spot id of each cell, by cell id; None if spots were not summed from cells or the store has no cell table.
    notes
        Sentences for the user: warnings and remarks.
    remarks
        The notes that only describe how the section was ingested.
    trained_on
        Why the calls do not show how the detector performs on new patients: it was trained on the section or its
        patient; empty if it was not.
    findings
        What was found about the section while it was called.
    copy_number
        Whether gains and losses of chromosome arms coincide with the tumour-like tissue.
    regions_rule
        Whether regions are drawn: ``auto`` (unless the calls cannot be relied on), ``always`` or ``never``.
    bands
        How the section is divided by the distance of spots from the border of the regions.
    """

    section_id: str
    patient: str
    platform: str
    adata: ad.AnnData
    spots: pd.DataFrame
    um_per_px: float
    spot_um: float
    spot_shape: SpotShape
    pitch_um: float
    threshold: float
    threshold_rule: str = ""
    alpha: float | None = None
    slide: Pyramid | None = None
    image_px_per_full_px: float = 1.0
    viewer_corner_px: tuple[float, float] = (0.0, 0.0)
    thumbnail: NDArray[np.uint8] | None = None
    thumbnail_um_per_px: float | None = None
    thumbnail_corner_um: tuple[float, float] = (0.0, 0.0)
    slide_um_per_full_px: float | None = None
    spot_of_cell: pd.Series[Any] | None = None
    genes: tuple[DrivingGene, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    trained_on: str = ""
    findings: Findings = field(default_factory=Findings)
    copy_number: CopyNumber = field(default_factory=CopyNumber)
    regions_rule: RegionsRule = "auto"
    bands: Bands = field(default_factory=Bands)

    @property
    def positions(self) -> pd.DataFrame:
        """``x_um, y_um, x_px, y_px`` of the called spots."""
        return self.adata.obs.loc[self.spots.index, ["x_um", "y_um", "x_px", "y_px"]].astype(float)

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Centres of the called spots, in full-resolution px."""
        return np.asarray(self.positions[["x_px", "y_px"]], dtype=float)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Calibrated probability of cancer of the called spots."""
        return np.asarray(self.spots["probability"], dtype=float)

    @property
    def spot_px(self) -> float:
        """Width of a spot in full-resolution px."""
        return self.spot_um / self.um_per_px

    @cached_property
    def angle(self) -> float:
        """Rotation of the lattice against the image in radians, between -pi/4 and pi/4.

        Quarter turns and mirroring do not change how a square spot is drawn.
        """
        obs = self.adata.obs
        if not {"array_x", "array_y"} <= set(obs.columns):
            return 0.0
        positions = obs[["array_x", "array_y", "x_px", "y_px"]].to_numpy(dtype=float)
        positions = positions[np.isfinite(positions).all(axis=1)]
        try:
            x_row, _ = fit_affine(positions[:, :2], positions[:, 2:]).matrix
        except GeometryError:
            return 0.0
        quarter_turn = np.pi / 2
        angle = float(np.arctan2(x_row[1], x_row[0]))
        return angle - quarter_turn * round(angle / quarter_turn)

    @cached_property
    def tessellation(self) -> Tessellation:
        """The tissue that each called spot represents, in full-resolution px."""
        return tessellate(self.points, self.pitch_um / self.um_per_px)

    @property
    def no_regions_reason(self) -> str:
        """Why no regions are drawn, in a few words; '' if they are."""
        if self.regions_rule == "always":
            return ""
        if self.regions_rule == "never":
            return "regions switched off"
        return "unlike the training tissue" if is_out_of_distribution(self.spots) else self.findings.no_regions_reason

    @property
    def has_regions(self) -> bool:
        """Whether regions are drawn; not for a section whose calls cannot be relied on, unless asked for."""
        return not self.no_regions_reason

    @cached_property
    def regions(self) -> list[Region]:
        """Cancer regions in full-resolution px; none if they are not drawn."""
        return self.tessellation.regions(self.probability, self.threshold) if self.has_regions else []

    @property
    def cancer_mm2(self) -> float | None:
        """Area of the cancer regions; None (unknown, not 0) if they are not drawn."""
        if not self.has_regions:
            return None
        return sum(self.region_mm2(region) for region in self.regions)

    @cached_property
    def tissue_mm2(self) -> NDArray[np.float64]:
        """Area of the tissue that each called spot represents: its cell, as far as that is known to be on tissue."""
        cells = self.tessellation.areas * (self.um_per_px / 1000) ** 2
        if "tissue_coverage" not in self.adata.obs:
            return cells
        coverage = self.adata.obs.loc[self.spots.index, "tissue_coverage"].to_numpy(dtype=float)
        return cells * np.where(np.isfinite(coverage), coverage.clip(0, 1), 1.0)

    def region_mm2(self, region: Region) -> float:
        """Return the area of the tissue in a region; its outline may include glass at the edge of the tissue."""
        return float(self.tissue_mm2[region.spots].sum())

    @cached_property
    def margins(self) -> Margins:
        """How far each called spot is from the border of the regions, and its band."""
        inside = np.zeros(len(self.spots), dtype=bool)
        for region in self.regions:
            inside[region.spots] = True
        pitch = self.pitch_um / self.um_per_px
        distances = border_distances(self.points, self.tessellation, inside, np.isfinite(self.probability), pitch)
        return Margins(distances * self.um_per_px, self.bands)

    def summary(self) -> dict[str, object]:
        """Return the section's row in the cohort table."""
        counts = self.spots["label"].value_counts()
        return {
            "section": self.section_id,
            "patient": self.patient,
            "platform": self.platform,
            "spots": len(self.spots),
            **{label: int(counts.get(label, 0)) for label in LABEL_STYLES},
            "cancer_mm2": self.cancer_mm2,
            "mean_probability": float(np.nanmean(self.probability)) if np.isfinite(self.probability).any() else None,
            "threshold": self.threshold,
            "threshold_rule": self.threshold_rule,
            "beyond_training": float((self.spots["ood"] > 1).mean()) if self.spots["ood"].notna().any() else None,
            "no_regions_reason": self.no_regions_reason,
            "unlike_training": is_out_of_distribution(self.spots),
            "agreement": dict(self.findings.agreement),
            "epithelium": self.findings.epithelium,
            "copy_number": self.copy_number.to_dict(),
            "notes": list(self.notes),
        }
