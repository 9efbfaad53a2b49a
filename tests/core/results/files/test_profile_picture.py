"""The profile as a picture: what is drawn, read back from the file."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image, ImageColor
from stand_ins.copy_number import ARMS, NO_EVIDENCE, RUNS, SUPPORTED, UNKNOWN

from spacrd_core.results.files.profile_picture import (
    GAIN,
    LOSS,
    RUN,
    STEADY,
    profile_svg,
    profile_unsupported,
    write_profile,
)
from spacrd_core.results.result import SectionResult

Make = Callable[..., SectionResult]
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - SpaCRD's own picture


def texts(svg: bytes) -> list[str]:
    """Return the texts of a picture; matplotlib writes them as text, so that they can be searched."""
    return ["".join(element.itertext()) for element in parsed(svg).iter(f"{SVG}text")]


def horizontal_lines(svg: bytes, colour: str) -> list[tuple[float, float, float]]:
    """Return left end, right end and height above the bottom of each line of a colour, from left to right."""
    root = parsed(svg)
    bottom = float(root.attrib["viewBox"].split()[3])
    drawn = [
        path.attrib["d"] for path in root.iter(f"{SVG}path") if f"stroke: {colour}" in path.attrib.get("style", "")
    ]
    ends = [[float(number) for number in re.findall(r"-?[\d.]+", line)] for line in drawn]
    return sorted((x, across, bottom - y) for x, y, across, other in ends if y == other)


def px_of(path: Path, colour: str) -> int:
    """Return the number of px of a colour."""
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    return int((abs(pixels - ImageColor.getrgb(colour)) < 8).all(axis=-1).sum())


def test_there_is_a_line_for_each_run_of_genes_and_for_each_arm() -> None:
    svg = profile_svg(SUPPORTED)
    assert len(horizontal_lines(svg, RUN)) == len(RUNS)
    assert [len(horizontal_lines(svg, colour)) for colour in (STEADY, GAIN, LOSS)] == [1, 1, 1]


def test_an_arm_spans_its_runs_and_is_as_high_as_its_log2_ratio() -> None:
    svg = profile_svg(SUPPORTED)
    runs, (gained,), (lost,) = (horizontal_lines(svg, colour) for colour in (RUN, GAIN, LOSS))
    assert (gained[0], gained[1]) == (runs[2][0], runs[3][1])
    assert (lost[0], lost[1]) == (runs[4][0], runs[4][1])
    unit = (runs[2][2] - runs[3][2]) / 0.1  # both runs of 8q
    assert (gained[2] - lost[2]) / unit == pytest.approx(ARMS[1].log2_ratio - ARMS[2].log2_ratio, abs=1e-3)


def test_changed_arms_are_named_and_all_chromosomes_are_numbered() -> None:
    found = texts(profile_svg(SUPPORTED))
    assert [text for text in found if text[-1:] in {"+", "-"}] == ["8q+", "16q-"]
    assert {str(number) for number in range(1, 23)} <= set(found)
    assert {"chromosome", "log2 ratio, tumour-like / rest"} <= set(found)


def test_no_arm_is_named_or_coloured_where_none_counts_as_changed() -> None:
    svg = profile_svg(NO_EVIDENCE)
    assert not [text for text in texts(svg) if text[-1:] in {"+", "-"}]
    assert not horizontal_lines(svg, GAIN) + horizontal_lines(svg, LOSS)
    assert len(horizontal_lines(svg, STEADY)) == len(ARMS)


def test_small_deviations_do_not_fill_the_picture() -> None:
    def spread(scale: float) -> float:
        runs = tuple(replace(run, log2_ratio=scale * run.log2_ratio) for run in RUNS)
        heights = [height for *_, height in horizontal_lines(profile_svg(replace(NO_EVIDENCE, segments=runs)), RUN)]
        return max(heights) - min(heights)

    assert spread(0.1) == pytest.approx(0.1 * spread(1.0) * 0.5 / 0.3, rel=0.05)


def test_the_file_names_the_section_and_says_what_was_found(make_result: Make, tmp_path: Path) -> None:
    write_profile(make_result(side=4, section_id="B $1_2$", copy_number=SUPPORTED), tmp_path / "s.profile.svg")
    found = " ".join(texts((tmp_path / "s.profile.svg").read_bytes()))
    assert (
        "B $1_2$: gains and losses of chromosome arms coincide with the tumour-like tissue (Z 12.3: 8q+, 16q-)" in found
    )


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_equal_profiles_give_equal_bytes(make_result: Make, tmp_path: Path, form: str) -> None:
    for name in "ab":
        write_profile(make_result(side=4, copy_number=SUPPORTED), tmp_path / f"{name}.{form}")
    assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    write_profile(make_result(side=4, copy_number=NO_EVIDENCE), tmp_path / f"c.{form}")
    assert (tmp_path / f"a.{form}").read_bytes() != (tmp_path / f"c.{form}").read_bytes()


def test_the_picture_shows_gains_and_losses_in_their_colours(make_result: Make, tmp_path: Path) -> None:
    for name, found in (("changed", SUPPORTED), ("none", NO_EVIDENCE)):
        write_profile(make_result(side=4, copy_number=found), tmp_path / f"{name}.png")
    assert min(px_of(tmp_path / "changed.png", colour) for colour in (GAIN, LOSS)) > 300
    assert max(px_of(tmp_path / "none.png", colour) for colour in (GAIN, LOSS)) == 0


def test_a_pdf_is_one_page_of_the_size_of_the_picture(make_result: Make, tmp_path: Path) -> None:
    write_profile(make_result(side=4, copy_number=SUPPORTED), tmp_path / "s.pdf")
    content = (tmp_path / "s.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert re.findall(rb"/MediaBox \[ 0 0 (\d+) (\d+) \]", content) == [(b"792", b"216")]


def test_a_section_without_a_profile_has_the_reason(make_result: Make) -> None:
    assert profile_unsupported(make_result(side=4, copy_number=SUPPORTED)) is None
    assert profile_unsupported(make_result(side=4, copy_number=NO_EVIDENCE)) is None
    refusal = profile_unsupported(make_result(side=4, copy_number=UNKNOWN))
    assert "section 'S1' has no copy-number profile: genes with enough counts: 120 on 2 chromosome arms" in str(refusal)
