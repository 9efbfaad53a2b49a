"""The colours of calls and probabilities: the same everywhere, and none that H&E has."""

from importlib import resources

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2hsv, rgb2lab

from spacrd_core.results.colours import FAINT, probability_colours
from spacrd_core.results.result import LABEL_STYLES

COLOURS = probability_colours(np.linspace(0, 1, 65)).astype(float) / 255


def test_equal_steps_of_probability_look_equally_far_apart() -> None:
    lab = rgb2lab(COLOURS[None, ::4])[0]
    steps = deltaE_ciede2000(lab[1:], lab[:-1])
    assert steps == pytest.approx(np.full(16, steps.mean()), rel=0.15)


def test_lightness_alone_tells_probabilities_apart_as_for_colour_blind_readers() -> None:
    lightness = rgb2lab(COLOURS[None])[0, :, 0]
    assert np.diff(lightness).min() > 0.5
    assert np.ptp(lightness) > 60


def test_no_probability_is_blue_purple_or_pink_as_stained_tissue_is() -> None:
    hue = 360 * rgb2hsv(COLOURS[None])[0, :, 0]
    assert hue.min() >= 50
    assert hue.max() <= 170


def test_the_report_has_the_colours_of_the_calls_and_their_opacity() -> None:
    templates = resources.files("spacrd_core.results") / "templates"
    script, styles = ((templates / name).read_text(encoding="utf-8") for name in ("draw.js", "page.css"))
    for label, style in LABEL_STYLES.items():
        assert f"--{label}: {style.hex_colour};" in styles
    assert f"BELOW_THRESHOLD_ALPHA = {FAINT};" in script
