"""um/px, and an image of another resolution than the coordinates."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.st.reader import St


def read(path: Path, **inputs: Any) -> Section:
    return St(St.Options()).read(path, ImageInputs(**inputs))


def turn(st: Any, angle: float = 0.1) -> None:
    """Turn the coordinates, so that they no longer follow the array frame."""
    pixels = st.spots[["pixel_x", "pixel_y"]].to_numpy()
    st.spots[["pixel_x", "pixel_y"]] = pixels @ [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]] + [
        60,
        10,
    ]


def test_the_image_of_another_resolution_is_scaled_by_the_array_frame(st: Any) -> None:
    st.image = (160, 170)
    section = read(st.write())
    assert section.slide
    assert section.slide.scale == pytest.approx(0.25, rel=1e-3)
    assert section.slide.um_per_px == pytest.approx(4 * section.um_per_px, rel=1e-3)
    assert "9769_HE_small.png has 0.2500 times the resolution of the spot coordinates" in section.notes


def test_an_image_of_other_proportions_is_refused_unless_its_scale_is_given(st: Any) -> None:
    st.image = (640, 800)
    counts = st.write()
    with pytest.raises(GeometryError, match="different images") as caught:
        read(counts)
    assert "--image-scale" in caught.value.hint
    section = read(counts, image_scale=1.0)
    assert section.slide
    assert section.slide.scale == 1.0


def test_coordinates_off_the_array_frame_are_taken_as_px_of_the_image_if_they_fit_in(st: Any) -> None:
    turn(st)
    section = read(st.write())
    assert section.slide
    assert section.slide.scale == 1.0
    assert section.um_per_px == pytest.approx(10.0, rel=0.03)
    assert "the spots do not follow the array frame" in section.notes[-1]


def test_coordinates_off_the_array_frame_that_leave_the_image_need_a_scale(st: Any) -> None:
    turn(st)
    st.image = (250, 250)
    counts = st.write()
    with pytest.raises(GeometryError, match="many spots are outside the image"):
        read(counts)
    assert read(counts, image_scale=0.5).slide is not None


def test_um_per_px_follows_from_the_pitch_of_200_um(st: Any) -> None:
    st.spots[["pixel_x", "pixel_y"]] *= 14.6
    assert read(st.write(), with_image=False).um_per_px == pytest.approx(200 / (20 * 14.6), rel=0.03)


def test_um_per_px_as_given_takes_precedence_and_a_disagreement_is_reported(st: Any) -> None:
    counts = st.write()
    section = read(counts, um_per_px=8.0)
    assert section.um_per_px == 8.0
    np.testing.assert_allclose(section.counts.obs["x_um"], section.counts.obs["x_px"] * 8.0)
    assert any("um/px is 8 as given, but the array's 200 um pitch gives" in note for note in section.notes)
    fitted = read(counts).um_per_px
    assert read(counts, um_per_px=fitted * 1.02).notes == ()


def test_spots_on_one_line_need_um_per_px(st: Any) -> None:
    row = st.spots["y"] == 12
    st.spots = st.spots[row]
    st.counts = st.counts[st.counts.index.str.endswith("x12")]
    counts = st.write()
    with pytest.raises(GeometryError, match="um/px is unknown") as caught:
        read(counts, with_image=False)
    assert "--um-per-px" in caught.value.hint
    assert read(counts, with_image=False, um_per_px=10.0).um_per_px == 10.0


def test_pixels_that_do_not_follow_the_array_are_refused(st: Any) -> None:
    st.spots[["pixel_x", "pixel_y"]] = st.spots[["pixel_x", "pixel_y"]].sample(frac=1, random_state=0).to_numpy()
    with pytest.raises(GeometryError, match="do not follow its array positions"):
        read(st.write())


@pytest.mark.parametrize(
    ("column", "value", "phrase"),
    [
        ("new_x", np.nan, "1 rows .* lack a position"),
        ("pixel_y", "a", "1 rows .* lack a position"),
        ("new_x", 11.0, "more than once"),
    ],
)
def test_a_spot_table_with_a_bad_row_is_refused(st: Any, column: str, value: object, phrase: str) -> None:
    st.spots = st.spots.astype({column: object})
    st.spots.loc[0, column] = value
    with pytest.raises(GeometryError, match=phrase):
        read(st.write())


def test_a_spot_table_without_pixels_or_spots_is_refused(st: Any) -> None:
    whole = st.spots
    st.spots = whole.drop(columns="pixel_x")
    with pytest.raises(GeometryError, match="has no column pixel_x"):
        read(st.write())
    st.spots = whole.assign(selected=0)
    with pytest.raises(GeometryError, match="no selected spot"):
        read(st.write())


def test_a_spot_table_may_lack_the_fractional_positions_and_the_selection(st: Any) -> None:
    st.spots = st.spots.drop(columns=["new_x", "new_y", "selected"])
    section = read(st.write(), with_image=False)
    assert section.counts.obs.loc["12x14", ["array_x", "array_y"]].tolist() == [12.0, 14.0]
