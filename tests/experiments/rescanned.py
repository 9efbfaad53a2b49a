"""Sections of a store as another scanner or laboratory would have them: the picture changed, then embedded anew."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from experiments.scanners import UM_PER_PX, Scanner

from spacrd_core.arrays import Array
from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.embedding.adapt import adapt_to_section
from spacrd_core.embedding.encoder import Encoder
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.timing import Clock
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Level, Pyramid
from spacrd_core.store.store import SpotStore

CPU = torch.device("cpu")


def rescan(pyramid: Pyramid, scanner: Scanner) -> Pyramid:
    """The slide by another scanner."""
    finest = pyramid.levels[0]
    longest_px = round(max(finest.height, finest.width) * finest.um_per_px / UM_PER_PX)
    picture, um_per_px = pyramid.thumbnail(longest_px)
    changed = scanner(picture)
    coarser = round(len(picture) / len(changed))
    return Pyramid((Level(np.moveaxis(changed, -1, 0), um_per_px * coarser),))


def embed_slide(store: SpotStore, section: str, pyramid: Pyramid, encoder: Encoder) -> tuple[Array, Array]:
    """The embeddings of a section's spots from this slide, and how much of their patches it covers."""
    recipe = encoder.recipe
    centres = store.spots(section)[["x_px", "y_px"]].to_numpy() * store.slide_scale(section)
    plan = PatchPlan.from_centres(pyramid, centres, patch_um=recipe.patch_um, patch_px=recipe.input_px)
    values = embed_rows(
        plan,
        range(len(centres)),
        adapt_to_section(encoder, plan, CPU),
        "stain",
        settings=Settings(device="cpu"),
        clock=Clock(CPU),
        report=lambda _: None,
    )
    return values, plan.coverage


def load_rescanned(store: SpotStore, scanners: Mapping[str, Scanner], encoder: Encoder) -> dict[str, list[SectionData]]:
    """All sections of a store by every scanner, with an image alone."""
    sections = load_sections(store, store.choose(), genes=False)
    pyramids = {section.id: store.pyramid(section.id) for section in sections}
    found: dict[str, list[SectionData]] = {}
    for name, scanner in scanners.items():
        found[name] = []
        for section in sections:
            pyramid = pyramids[section.id]
            assert pyramid is not None
            image, coverage = embed_slide(store, section.id, rescan(pyramid, scanner), encoder)
            found[name].append(replace(section, image=image, image_coverage=coverage, recipe=encoder.recipe))
    return found
