"""A slide is refused at ingestion if it is no H&E, or lies otherwise than the platform's own pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.anndata_file import tissue_object
from bundles.visium import VisiumBundle
from PIL import Image

from spacrd_core.errors import GeometryError, ImageError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.ingestion.slide_checks import check_slide
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import SlideFile
from spacrd_core.store.store import SpotStore


def visium(folder: Path) -> tuple[Path, Path]:
    """Write a Visium run; return it and its full-resolution image."""
    bundle = VisiumBundle()
    return bundle.write(folder / "run"), bundle.write_image(folder / "slide.png")


def anndata(folder: Path) -> tuple[Path, Path]:
    adata = tissue_object()
    adata.write_h5ad(folder / "run.h5ad")
    shown = adata.uns["spatial"]["V1"]["images"]["hires"]
    Image.fromarray(np.kron(shown, np.ones((4, 4, 1), np.uint8))).save(folder / "slide.png", compress_level=1)
    return folder / "run.h5ad", folder / "slide.png"


def mirror(path: Path) -> Path:
    pixels = np.asarray(Image.open(path).convert("RGB"))
    Image.fromarray(np.ascontiguousarray(pixels[:, ::-1])).save(path.with_name("mirrored.png"), compress_level=1)
    return path.with_name("mirrored.png")


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("write", [visium, anndata])
def test_a_mirrored_slide_is_refused_and_the_right_one_ingested(tmp_path: Path, plugins: Plugins, write: Any) -> None:
    run, slide = write(tmp_path)
    store = SpotStore.create(tmp_path / "store")
    with pytest.raises(GeometryError) as caught:
        ingest(store, run, image=mirror(slide), mpp=8.0, plugins=plugins)
    assert "mirrored left to right it fits" in str(caught.value)
    assert store.entries == {}
    entry = ingest(store, run, image=slide, mpp=8.0, plugins=plugins).entry
    assert not any("turned" in note or "resemble" in note for note in entry.notes)


def test_a_slide_that_is_not_h_and_e_is_refused_and_its_genes_go_alone(tmp_path: Path, plugins: Plugins) -> None:
    run, slide = visium(tmp_path)
    dark = tmp_path / "dark.png"
    Image.fromarray(255 - np.asarray(Image.open(slide).convert("RGB"))).save(dark)
    store = SpotStore.create(tmp_path / "store")
    with pytest.raises(ImageError, match="light on a dark ground"):
        ingest(store, run, image=dark, mpp=8.0, plugins=plugins)
    assert ingest(store, run, no_image=True, plugins=plugins).entry.slide is None


def test_a_picture_that_cannot_be_read_is_a_note(make_section: Any, tmp_path: Path) -> None:
    section = make_section(0)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG and no more")
    slide = replace(section.slide, pictures=(SlideFile(tmp_path / "torn.png", 1.0),))
    error, (note,) = check_slide(section, slide)
    assert error is None
    assert "slide0.png was not compared with the run's own pictures" in note
