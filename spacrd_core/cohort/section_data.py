"""Sections loaded from the store: expression, embeddings, positions and labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.errors import CorruptStore, RecipeMismatch
from spacrd_core.genes.expression import Expression
from spacrd_core.genes.species import common_species
from spacrd_core.labels.cancer_fraction import DEFAULT_CANCER_FRACTION, is_cancer
from spacrd_core.progress import Track, silent
from spacrd_core.quoting import command
from spacrd_core.store.content import content_checksums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import anndata as ad

    from spacrd_core.arrays import Array
    from spacrd_core.cards import Recipe
    from spacrd_core.cohort.evidence import SectionEvidence
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

UNKNOWN = -1


@dataclass(frozen=True)
class SectionData:
    """One section in memory; ``labels`` are 1 for cancer, 0 for normal and -1 for unknown.

    ``stain`` are features of the staining, from which :mod:`spacrd_core.prior` reads the image's evidence; ``evidence``
    is what the section says of itself, once read. ``mixtures`` are parts of the section with other shares of tumour, as
    masks of spots with what each part says of itself; training reads them. ``content`` are checksums of the
    measurement (:mod:`spacrd_core.store.content`).
    """

    id: str
    patient: str
    platform: str
    identity: str
    label_source: str
    pitch_um: float
    spot_ids: tuple[str, ...]
    xy_um: Array
    labels: Array
    expression: Expression | None
    image: Array | None
    image_coverage: Array | None
    recipe: Recipe | None
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    stain: Array | None = None
    evidence: SectionEvidence | None = None
    mixtures: tuple[tuple[Array, SectionEvidence], ...] = ()
    content: tuple[str, ...] = ()

    @property
    def classes(self) -> set[int]:
        """The known labels that occur, a subset of {0, 1}."""
        return {int(label) for label in np.unique(self.labels)} - {UNKNOWN}

    def select_spots(self, spots: Array) -> SectionData:
        """Return the section as if only the spots in this mask had been measured."""
        return replace(
            self,
            spot_ids=tuple(np.asarray(self.spot_ids, dtype=object)[spots]),
            xy_um=self.xy_um[spots],
            labels=self.labels[spots],
            expression=self.expression.select_spots(spots) if self.expression else None,
            image=None if self.image is None else self.image[spots],
            image_coverage=None if self.image_coverage is None else self.image_coverage[spots],
            stain=None if self.stain is None else self.stain[spots],
            evidence=None,
            mixtures=(),
        )


def load_sections(  # noqa: PLR0913 - what is loaded
    store: SpotStore,
    entries: Sequence[SectionEntry],
    *,
    encoder: str = "",
    recipe_key: str = "",
    stain_key: str = "",
    genes: bool = True,
    cancer_fraction: float = DEFAULT_CANCER_FRACTION,
    track: Track = silent,
) -> list[SectionData]:
    """Return sections sorted by id, with embeddings of ``encoder`` (or of a recipe) if the section has an image.

    ``stain_key`` is the recipe of the staining features to load beside them, where a section has them. If a spot's
    cells or bins were labelled, the spot is cancer when at least ``cancer_fraction`` of them are.

    Raises
    ------
    RecipeMismatch
        If the sections' embeddings were made with different recipes.
    CorruptStore
        If an embedding or a count is not finite.
    TrainingError
        If the sections are of different species.
    """
    loaded = [
        _load(
            store,
            entry,
            encoder=encoder,
            recipe_key=recipe_key,
            stain_key=stain_key,
            genes=genes,
            cancer_fraction=cancer_fraction,
        )
        for entry in track(sorted(entries, key=lambda entry: entry.id), "loading sections", len(entries))
    ]
    for section in loaded:
        _require_finite(section, encoder or recipe_key)
    require_comparable(store, loaded, encoder)
    return loaded


def require_comparable(store: SpotStore, loaded: Sequence[SectionData], encoder: str) -> None:
    """Require that sections were embedded with one recipe and are of one species.

    Raises
    ------
    RecipeMismatch
        If the sections' embeddings were made with different recipes.
    TrainingError
        If the sections are of different species.
    """
    recipes = {section.recipe.key: section.id for section in loaded if section.recipe}
    if len(recipes) > 1:
        raise RecipeMismatch(
            f"sections were embedded by '{encoder}' with different recipes: {', '.join(recipes.values())}",
            hint=f"run {command('embed', store.path, '--encoder', encoder)} with the same options for all sections",
        )
    common_species({section.id: section.expression.species for section in loaded if section.expression})


def label_values(adata: ad.AnnData, *, cancer_fraction: float = DEFAULT_CANCER_FRACTION) -> Array:
    """Return the label of every spot: 1 for cancer, 0 for normal, -1 for unknown."""
    if "label_fraction" in adata.obs:
        fractions = adata.obs["label_fraction"].to_numpy(dtype=float)
        return np.where(np.isnan(fractions), UNKNOWN, is_cancer(fractions, cancer_fraction)).astype(np.int64)
    if "label" not in adata.obs:
        return np.full(adata.n_obs, UNKNOWN, dtype=np.int64)
    values = adata.obs["label"].astype(object).map({"cancer": 1, "normal": 0}).fillna(UNKNOWN)
    return np.asarray(values, dtype=np.int64)


def patients(sections: Sequence[SectionData]) -> list[str]:
    """Return the patient ids, sorted."""
    return sorted({section.patient for section in sections})


def with_modalities(section: SectionData, *, genes: bool, image: bool) -> SectionData:
    """Return a section as if only these modalities had been measured."""
    if section.evidence:
        section = replace(section, evidence=section.evidence.select(genes=genes, image=image))
    if not genes:
        section = replace(section, expression=None, mixtures=())
    return section if image else replace(section, image=None, image_coverage=None, recipe=None, stain=None)


def _require_finite(section: SectionData, encoder: str) -> None:
    if section.image is not None and not np.isfinite(section.image).all():
        raise CorruptStore(
            f"embeddings of section '{section.id}' by '{encoder}' contain values that are not finite",
            hint="embed the section again, or correct the values if another program wrote them",
        )
    if section.expression is not None and not np.isfinite(section.expression.values.data).all():
        raise CorruptStore(
            f"expression of section '{section.id}' contains values that are not finite",
            hint="ingest the section again from its counts, or exclude it",
        )


def _load(
    store: SpotStore,
    entry: SectionEntry,
    *,
    encoder: str,
    recipe_key: str,
    stain_key: str,
    genes: bool,
    cancer_fraction: float,
) -> SectionData:
    adata = store.section(entry.id)
    reads_image = bool(encoder or recipe_key) and entry.slide is not None
    embedding = store.embedding(entry.id, encoder=encoder, key=recipe_key) if reads_image else None
    has_stain = stain_key in store.entry(entry.id).embeddings
    stain = store.embedding(entry.id, key=stain_key).values if has_stain else None
    return SectionData(
        id=entry.id,
        patient=entry.patient,
        platform=entry.platform,
        identity=entry.identity,
        label_source=entry.label_source,
        pitch_um=entry.pitch_um,
        spot_ids=tuple(adata.obs_names),
        xy_um=adata.obs[["x_um", "y_um"]].to_numpy(dtype=np.float64),
        labels=label_values(adata, cancer_fraction=cancer_fraction),
        expression=_expression(adata) if genes and adata.n_vars else None,
        image=embedding.values if embedding else None,
        image_coverage=embedding.coverage if embedding else None,
        recipe=embedding.recipe if embedding else None,
        encoder_options=embedding.options if embedding else {},
        stain=stain,
        content=content_checksums(entry, adata),
    )


def _expression(adata: ad.AnnData) -> Expression:
    symbols, gene_ids = (adata.var[name].astype(str).tolist() for name in ("symbol", "gene_id"))
    return Expression.from_counts(sparse.csr_matrix(adata.X), symbols, gene_ids)
