"""The pictures of a run of immunofluorescence are refused as an H&E; genes alone and a given H&E are taken."""

from dataclasses import replace
from pathlib import Path

import pytest
from bundles.visium import VisiumBundle

from spacrd_core.errors import ImageError
from spacrd_core.section.section import ImageInputs
from spacrd_readers.tenx.fluorescence import fluorescence_evidence
from spacrd_readers.visium.reader import Visium

TABLE = "barcode_fluorescence_intensity.csv"


def run(folder: Path, **variant: object) -> Path:
    return replace(VisiumBundle(outs=True), **variant).write(folder)  # type: ignore[arg-type]


def read(folder: Path, inputs: ImageInputs | None = None) -> object:
    return Visium(Visium.Options()).read(folder, inputs or ImageInputs()).slide


@pytest.mark.parametrize("name", [TABLE, f"{TABLE}.gz"])
def test_a_run_with_intensities_of_fluorescence_is_refused(tmp_path: Path, name: str) -> None:
    folder = run(tmp_path)
    (folder / "outs" / "spatial" / name).write_bytes(b"barcode,in_tissue,channel1_mean\n")
    with pytest.raises(ImageError) as caught:
        read(folder)
    assert f"the run is of immunofluorescence ({folder / 'outs' / 'spatial' / name})" in str(caught.value)
    assert "--image FILE" in caught.value.hint
    assert "--no-image" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_cmdline", "spaceranger count --id=A --darkimage=if.tif --slide=V19"),
        ("_cmdline", "spaceranger count --id=A --colorizedimage=if.tif"),
        ("_invocation", 'dark_images = ["if.tif"],'),
    ],
)
def test_a_run_started_with_a_dark_image_is_refused(tmp_path: Path, name: str, text: str) -> None:
    folder = run(tmp_path)
    (folder / name).write_text(text)
    with pytest.raises(ImageError, match="immunofluorescence"):
        read(folder)


def test_a_run_started_with_a_brightfield_image_is_read(tmp_path: Path) -> None:
    folder = run(tmp_path)
    (folder / "_cmdline").write_text("spaceranger count --id=A --image=he.tif")
    (folder / "_invocation").write_text("dark_images = [],")
    assert fluorescence_evidence(folder / "outs" / "spatial") is None
    assert read(folder)


def test_its_genes_alone_are_read(tmp_path: Path) -> None:
    folder = run(tmp_path)
    (folder / "outs" / "spatial" / TABLE).touch()
    assert read(folder, ImageInputs(with_image=False)) is None


def test_an_h_and_e_that_is_given_for_it_is_used(tmp_path: Path) -> None:
    folder = run(tmp_path)
    (folder / "outs" / "spatial" / TABLE).touch()
    given = VisiumBundle().write_image(tmp_path / "he.png")
    slide = read(folder, ImageInputs(image=given))
    assert slide is not None
    assert slide.path == given  # type: ignore[attr-defined]
