from __future__ import annotations

import numpy as np

from spacrd_core.images.background import over_glass, premultiplied_over_white

RGBA = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)


def test_what_is_transparent_shows_the_glass_behind_it() -> None:
    assert over_glass(RGBA).tolist() == [[[200, 100, 0], [255, 255, 255], [244, 224, 204]]]
    assert over_glass(RGBA, colour=(240, 240, 240))[0, 1].tolist() == [240, 240, 240]


def test_what_is_opaque_stays_as_it_is() -> None:
    opaque = RGBA[:, :1]
    np.testing.assert_array_equal(over_glass(opaque), opaque[..., :3])


def test_premultiplied_colours_give_the_same_picture_as_plain_ones() -> None:
    multiplied = RGBA.copy()
    multiplied[..., :3] = np.rint(RGBA[..., :3] * (RGBA[..., 3:] / 255))
    np.testing.assert_array_equal(premultiplied_over_white(multiplied), over_glass(RGBA))


def test_a_colour_brighter_than_its_opacity_does_not_overflow() -> None:
    assert premultiplied_over_white(RGBA)[0, 1].tolist() == [255, 255, 255]
