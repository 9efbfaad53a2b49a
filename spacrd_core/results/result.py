"""What the writers take: the calls of one section, and where they come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.results.regions import Cells, Region, tessellate
from spacrd_core.results.warnings import wholly_strange
from spacrd_core.section.geometry import fit_affine

if TYPE_CHECKING:
    from collections.abc import Mapping

    import anndata as ad
    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_core.detection.attribution import Driver
    from spacrd_core.section.section import SpotShape
    from spacrd_core.slide.pyramid import Pyramid

Label = Literal["cancer", "normal", "uncertain"]


class Class(NamedTuple):
    """How a label is written where people read it."""

    name: str
    colour: tuple[int, int, int]


SETS = ("cancer", "normal", "both", "none")
TOPS = ("genes", "image", "fusion")
CLASSES: dict[Label, Class] = {
    "cancer": Class("Cancer", (200, 0, 0)),
    "normal": Class("Normal", (70, 130, 180)),
    "uncertain": Class("Uncertain", (230, 160, 0)),
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Which detector made the calls, how it was made, and what it rests on; every value is shown to the reader.

    Attributes
    ----------
    detector
        Its name and hash: what somebody must have to repeat the calls.
    modalities
        ``image and genes``, ``genes`` or ``image``.
    licence
        Of the encoder's weights, which bind the calls too.
    label_source
        Who said what cancer is in the training sections.
    created
        ISO 8601, UTC.
    more
        Other facts worth keeping, by the name to show them under.
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

    def facts(self) -> dict[str, object]:
        """Return everything as JSON-able values."""
        return asdict(self) | {"training_sections": list(self.training_sections)}


@dataclass(frozen=True, kw_only=True, eq=False)
class SectionResult:
    """The calls of one section, with what is needed to show them on its tissue.

    Attributes
    ----------
    adata
        The section as the store holds it: ``obs`` with ``x_um``, ``y_um``, ``x_px``, ``y_px``.
    spots
        Indexed by spot id, any subset of the section in any order: ``probability`` in [0, 1], ``label`` (cancer,
        normal, uncertain), ``spread`` over the ensemble, ``ood`` (above 1: unlike the training tissue),
        ``gene_coverage``, ``image_coverage``, ``set`` (cancer, normal, both, none: what a spot may well be),
        ``top_modality`` (what says most for the call: genes, image, fusion) and ``top_contribution`` (how much, in log
        odds). All but the first two may be missing.
    threshold, threshold_rule
        From which probability on spots are called cancer here, and where that comes from.
    alpha
        The level of the sets; None without any.
    um_per_px, slide_um_per_full_px
        How wide a full-resolution px is: in the frame of the spots, and in the frame of the slide.
    image_px_per_full_px
        How many px of the image that the user opens a full-resolution px is: below 1 where that image is coarser.
    spot_um, spot_shape, pitch_um
        The footprint of a spot and the distance between neighbours.
    slide
        The slide at all resolutions, read only where it is asked for.
    thumbnail, thumbnail_um_per_px, thumbnail_corner_um
        The slide, or the part of it that holds the spots, for pictures: 8-bit RGB (height, width, 3), its um/px, and
        where it begins in the slide (left, top).
    genes
        The genes that drive the calls, those that push towards cancer first.
    spot_of_cell
        The id of the spot each cell lies in, by cell id, where spots were summed from cells and the store knows them.
    notes
        Sentences that the user should read: warnings and assumptions.
    remarks
        Those of the notes that only say how the section was read.
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
    thumbnail: NDArray[np.uint8] | None = None
    thumbnail_um_per_px: float | None = None
    thumbnail_corner_um: tuple[float, float] = (0.0, 0.0)
    slide_um_per_full_px: float | None = None
    spot_of_cell: pd.Series[Any] | None = None
    genes: tuple[Driver, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

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
        """The calibrated probability of cancer of the called spots."""
        return np.asarray(self.spots["probability"], dtype=float)

    @property
    def spot_px(self) -> float:
        """Width of a spot's footprint, in full-resolution px."""
        return self.spot_um / self.um_per_px

    @cached_property
    def angle(self) -> float:
        """How far the lattice is turned against the image: radians, at most an eighth of a turn either way.

        A quarter of a turn, or a mirrored array, leaves a square as it was.
        """
        obs = self.adata.obs
        if not {"array_x", "array_y"} <= set(obs.columns):
            return 0.0
        places = obs[["array_x", "array_y", "x_px", "y_px"]].to_numpy(dtype=float)
        places = places[np.isfinite(places).all(axis=1)]
        try:
            along, _ = fit_affine(places[:, :2], places[:, 2:]).matrix
        except GeometryError:
            return 0.0
        quarter = np.pi / 2
        turned = float(np.arctan2(along[1], along[0]))
        return turned - quarter * round(turned / quarter)

    @cached_property
    def cells(self) -> Cells:
        """The tissue each called spot stands for, in full-resolution px."""
        return tessellate(self.points, self.pitch_um / self.um_per_px)

    @cached_property
    def regions(self) -> list[Region]:
        """The cancer regions in full-resolution px: touching spots over the threshold, if it is known tissue at all."""
        return [] if wholly_strange(self.spots) else self.cells.regions(self.probability, self.threshold)

    @property
    def cancer_mm2(self) -> float | None:
        """The area of the cancer regions; None where none are drawn, which is not to say that there is no tumour."""
        if wholly_strange(self.spots):
            return None
        return self.mm2(float(sum(region.outline.area for region in self.regions)))

    def mm2(self, area_px: float) -> float:
        """Return an area in full-resolution px as mm2."""
        return area_px * (self.um_per_px / 1000) ** 2

    def summary(self) -> dict[str, object]:
        """Return the section's row in a table of the cohort."""
        counts = self.spots["label"].value_counts()
        return {
            "section": self.section_id,
            "patient": self.patient,
            "platform": self.platform,
            "spots": len(self.spots),
            **{label: int(counts.get(label, 0)) for label in CLASSES},
            "cancer_mm2": self.cancer_mm2,
            "mean_probability": float(np.nanmean(self.probability)) if np.isfinite(self.probability).any() else None,
            "threshold": self.threshold,
            "threshold_rule": self.threshold_rule,
            "beyond_training": float((self.spots["ood"] > 1).mean()) if self.spots["ood"].notna().any() else None,
            "unlike_training": wholly_strange(self.spots),
            "notes": list(self.notes),
        }
