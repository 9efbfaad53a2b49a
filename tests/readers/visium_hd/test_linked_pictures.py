"""The small pictures of bins are links to those of the run, which copies may keep as text or break."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from bundles.tissue import Tissue
from bundles.visium_hd import HIRES, HdRun

from spacrd_core.errors import MissingFile
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium_hd.reader import VisiumHd

RUN = HdRun(tissue=Tissue(size_um=(500.0, 400.0), square_um=(100.0, 100.0, 300.0, 300.0)), image="beside")
PICTURES = ("tissue_hires_image.png", "tissue_lowres_image.png")


def read(path: Path, **inputs: Any) -> Section:
    return VisiumHd(VisiumHd.Options()).read(path, ImageInputs(**inputs))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose pictures lie in outs/spatial, and its image elsewhere."""
    outs = RUN.write(tmp_path / "outs")
    (outs / "Sample_tissue_image.tif").rename(tmp_path / "slide.tif")
    (outs / "spatial").mkdir()
    for name in PICTURES:
        (level(outs) / name).rename(outs / "spatial" / name)
    return outs


def level(outs: Path) -> Path:
    return outs / "binned_outputs" / "square_008um" / "spatial"


def link_all(outs: Path, kind: str) -> None:
    for name in PICTURES:
        if kind == "text":
            (level(outs) / name).write_text(f"../../../spatial/{name}")
        elif kind == "broken":
            (level(outs) / name).symlink_to(f"/gone/{name}")


@pytest.mark.parametrize("kind", ["text", "broken", "absent"])
def test_the_pictures_of_the_run_are_taken(run: Path, kind: str) -> None:
    link_all(run, kind)
    slide = read(run).slide
    assert slide
    assert slide.path.samefile(run / "spatial" / PICTURES[0])
    assert slide.scale == HIRES


@pytest.mark.parametrize("kind", ["text", "broken"])
def test_without_them_a_link_is_a_note_and_a_given_image_is_used(run: Path, tmp_path: Path, kind: str) -> None:
    link_all(run, kind)
    shutil.rmtree(run / "spatial")
    section = read(run, image=tmp_path / "slide.tif")
    assert section.slide
    assert section.slide.scale == 1.0
    assert sum("a small image of the run was not used" in note for note in section.notes) == len(PICTURES)
    assert read(run).slide is None


def test_a_damaged_picture_is_a_note_beside_a_given_image(run: Path, tmp_path: Path) -> None:
    link_all(run, "text")
    (run / "spatial" / PICTURES[0]).write_bytes(b"nothing to see" * 100)
    section = read(run, image=tmp_path / "slide.tif")
    assert any("tissue_hires_image.png is neither JPEG" in note for note in section.notes)
    lowres = read(run).slide
    assert lowres
    assert lowres.path.name == PICTURES[1]


@pytest.mark.parametrize("file", ["filtered_feature_bc_matrix.h5", "spatial/tissue_positions.parquet"])
def test_a_matrix_or_positions_behind_a_broken_link_are_missing(run: Path, tmp_path: Path, file: str) -> None:
    path = level(run).parent / file
    path.rename(tmp_path / path.name)
    path.write_text(f"../elsewhere/{path.name}")
    with pytest.raises(MissingFile, match="a link that was copied as text") as caught:
        read(run)
    assert "copy the run with the files" in caught.value.hint
    path.write_text(str(tmp_path / path.name))
    assert read(run).counts.n_obs
