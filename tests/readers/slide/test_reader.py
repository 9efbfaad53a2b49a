"""A slide alone becomes square spots on its tissue; pen marks, specks and glass are left out."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from spacrd_core.contracts import check_reader
from spacrd_core.errors import GeometryError, InputError
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.slide.reader import Slide

UM_PER_PX, WIDTH, HEIGHT = 4.0, 700, 500
CENTRE, RADIUS_UM = np.array([1400.0, 1000.0]), 800.0
GLASS, TISSUE = (243, 241, 244), (196, 140, 186)
INKS = {"blue": (40, 60, 170), "green": (30, 130, 80), "black": (35, 33, 38)}
PITCH_UM = 100.0


def picture() -> NDArray[np.uint8]:
    """A disc of tissue on glass, with a speck."""
    pixels = np.full((HEIGHT, WIDTH, 3), GLASS, dtype=np.uint8)
    row, column = np.indices((HEIGHT, WIDTH))
    inside = np.hypot(column * UM_PER_PX - CENTRE[0], row * UM_PER_PX - CENTRE[1]) < RADIUS_UM
    pixels[inside] = TISSUE
    pixels[10:25, 10:30] = TISSUE
    noise = np.random.default_rng(0).integers(-6, 7, pixels.shape)
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


def saved(folder: Path, pixels: NDArray[np.uint8], name: str = "slide.png") -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def read(path: Path, um_per_px: float | None = UM_PER_PX, **options: float) -> Section:
    return Slide(Slide.Options(**options)).read(path, ImageInputs(um_per_px=um_per_px))


def test_spots_are_the_squares_of_a_grid_on_the_tissue(tmp_path: Path) -> None:
    section = read(saved(tmp_path, picture()))
    spots = section.counts.obs
    distance = np.hypot(*(spots[["x_um", "y_um"]].to_numpy() - CENTRE).T)
    assert distance.max() < RADIUS_UM + PITCH_UM
    assert len(spots) * PITCH_UM**2 == pytest.approx(np.pi * RADIUS_UM**2, rel=0.08)
    assert (section.platform, section.spot_shape) == ("slide", "square")
    assert section.spot_um == section.pitch_um == PITCH_UM
    assert np.allclose(spots[["x_px", "y_px"]] * UM_PER_PX, spots[["x_um", "y_um"]])
    assert section.counts.shape == (len(spots), 0)
    first = spots.iloc[0]
    assert first.name == f"{int(first['array_x'])}x{int(first['array_y'])}"
    assert any("without genes" in note for note in section.notes)


def test_a_finer_grid_covers_the_same_tissue(tmp_path: Path) -> None:
    path = saved(tmp_path, picture())
    coarse, fine = read(path), read(path, pitch_um=50.0)
    assert fine.spot_um == 50.0
    assert fine.counts.n_obs * 50.0**2 == pytest.approx(coarse.counts.n_obs * PITCH_UM**2, rel=0.1)


@pytest.mark.parametrize("ink", INKS)
def test_pen_marks_are_left_out_with_a_note(tmp_path: Path, ink: str) -> None:
    pixels = picture()
    pixels[200:300, 560:690] = INKS[ink]  # on glass
    pixels[225:275, 325:375] = INKS[ink]  # on tissue, 2 x 2 squares
    section = read(saved(tmp_path, pixels))
    clean = read(saved(tmp_path, picture(), "clean.png"))
    spots = section.counts.obs
    assert (spots["x_um"] < 2240).all()
    assert set(clean.counts.obs_names) - set(spots.index) == {"13x9", "14x9", "13x10", "14x10"}
    assert any("under pen marks, left out" in note for note in section.notes)
    assert not any("pen" in note for note in clean.notes)


def test_dark_nuclei_and_blue_haematoxylin_are_no_pen(tmp_path: Path) -> None:
    pixels = picture()
    pixels[150:350, 250:450] = (78, 62, 128)  # dense haematoxylin
    pixels[150:350, 250:300] = (104, 110, 172)  # a bluish one
    section = read(saved(tmp_path, pixels))
    assert section.counts.n_obs == read(saved(tmp_path, picture(), "clean.png")).counts.n_obs


def test_the_resolution_is_that_of_the_metadata_unless_another_is_given(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    tifffile.imwrite(path, picture(), resolution=(1e4 / UM_PER_PX, 1e4 / UM_PER_PX), resolutionunit="CENTIMETER")
    assert read(path, None).um_per_px == pytest.approx(UM_PER_PX)
    other = read(path, 5.0)
    assert other.um_per_px == 5.0
    assert any("give 4 um/px, 5 was given and used" in note for note in other.notes)


def test_an_unknown_resolution_is_refused_with_the_option(tmp_path: Path) -> None:
    with pytest.raises(GeometryError) as caught:
        read(saved(tmp_path, picture()), None)
    assert "does not state its resolution" in str(caught.value)
    assert "--um-per-px" in caught.value.hint


def test_a_slide_without_tissue_or_too_coarse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tissue was found"):
        read(saved(tmp_path, np.full((400, 400, 3), GLASS, dtype=np.uint8)))
    with pytest.raises(GeometryError, match="less than 2 px"):
        read(saved(tmp_path, picture()), 60.0)


@pytest.mark.parametrize(
    ("inputs", "option"),
    [
        (ImageInputs(um_per_px=4.0, image=Path("he.tif")), "--image"),
        (ImageInputs(um_per_px=4.0, alignment=Path("a.csv")), "--alignment"),
        (ImageInputs(um_per_px=4.0, image_scale=2.0), "--image-scale"),
        (ImageInputs(um_per_px=4.0, with_image=False), "--no-image"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path: Path, inputs: ImageInputs, option: str) -> None:
    with pytest.raises(GeometryError, match=f"{option} does not apply"):
        Slide(Slide.Options()).read(saved(tmp_path, picture()), inputs)


def test_it_satisfies_the_contract_with_an_example(tmp_path: Path, plugins: Plugins) -> None:
    reader = plugins.readers.create("slide")
    check_reader(reader, saved(tmp_path, picture()), ImageInputs(um_per_px=UM_PER_PX))


def test_what_is_no_image_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    reader = Slide(Slide.Options())
    assert "neither JPEG" in reader.recognises(tmp_path / "notes.txt").reason
    assert not reader.recognises(tmp_path)


def test_a_slide_is_read_only_on_request(tmp_path: Path, plugins: Plugins) -> None:
    path = saved(tmp_path, picture())
    with pytest.raises(InputError) as caught:
        recognise(path, plugins)
    assert "is a slide" in str(caught.value)
    assert "--reader slide" in caught.value.hint
