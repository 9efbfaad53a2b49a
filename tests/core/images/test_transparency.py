import numpy as np

from spacrd_core.images.background import flatten_alpha, flatten_premultiplied_alpha

RGBA = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)


def test_transparent_pixels_show_the_background_colour() -> None:
    assert flatten_alpha(RGBA).tolist() == [[[200, 100, 0], [255, 255, 255], [244, 224, 204]]]
    assert flatten_alpha(RGBA, colour=(240, 240, 240))[0, 1].tolist() == [240, 240, 240]


def test_opaque_pixels_are_unchanged() -> None:
    opaque = RGBA[:, :1]
    np.testing.assert_array_equal(flatten_alpha(opaque), opaque[..., :3])


def test_premultiplied_and_straight_alpha_give_the_same_image() -> None:
    multiplied = RGBA.copy()
    multiplied[..., :3] = np.rint(RGBA[..., :3] * (RGBA[..., 3:] / 255))
    np.testing.assert_array_equal(flatten_premultiplied_alpha(multiplied), flatten_alpha(RGBA))


def test_a_colour_brighter_than_its_opacity_does_not_overflow() -> None:
    assert flatten_premultiplied_alpha(RGBA)[0, 1].tolist() == [255, 255, 255]
