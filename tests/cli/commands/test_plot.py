"""``spacrd plot``: the latest calls on the tissue, or copy number along the genome."""

import json
from pathlib import Path

import pytest
from PIL import Image

from spacrd_cli.main import run


def plot(folder: Path, out: Path, *options: str) -> int:
    return run(["plot", f"{folder}/store", "-o", str(out), "-q", *options])


def stderr(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_without_options_it_draws_the_picture_of_the_calls_that_detect_writes(aneuploid: Path, tmp_path: Path) -> None:
    assert plot(aneuploid, tmp_path) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"GAIN.png", "EVEN.png", "FEW.png"}
    assert all(file.read_bytes() == (aneuploid / "out" / file.name).read_bytes() for file in tmp_path.iterdir())


def test_spots_can_be_coloured_by_probability_in_a_file_beside_that_of_the_calls(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(aneuploid, tmp_path, "--section", "GAIN") == 0
    assert plot(aneuploid, tmp_path, "--section", "GAIN", "--colour-by", "probability") == 0
    calls, probability = (tmp_path / f"GAIN.{name}" for name in ("png", "probability.png"))
    assert calls.read_bytes() != probability.read_bytes()
    assert plot(aneuploid, tmp_path, "--colour-by", "ood") == 1
    assert "hint: --colour-by call or probability" in stderr(capsys)


def test_profiles_are_drawn_of_the_sections_that_have_one(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert plot(aneuploid, tmp_path, "--profile", "--json") == 0
    printed = capsys.readouterr()
    names = ["EVEN.profile.png", "GAIN.profile.png"]
    assert json.loads(printed.out)["written"] == [str(tmp_path / name) for name in names]
    assert "not written: section 'FEW' has no copy-number profile:" in " ".join(printed.err.split())
    for name in names:
        with Image.open(tmp_path / name) as picture:
            assert (picture.format, picture.size) == ("PNG", (2200, 600))


@pytest.mark.slow
def test_a_profile_names_the_arms_that_were_gained(aneuploid: Path, tmp_path: Path) -> None:
    assert plot(aneuploid, tmp_path, "--profile", "--format", "svg") == 0
    gained, even = ((tmp_path / f"{name}.profile.svg").read_text() for name in ("GAIN", "EVEN"))
    assert all(f">{arm}+</text>" in gained and f">{arm}+</text>" not in even for arm in ("1q", "8q", "17q", "20q"))
    assert "EVEN: no sign of gained or lost chromosome arms" in even


@pytest.mark.slow
def test_a_profile_can_be_a_pdf(aneuploid: Path, tmp_path: Path) -> None:
    assert plot(aneuploid, tmp_path, "--profile", "--format", "pdf", "--section", "GAIN") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["GAIN.profile.pdf"]
    assert (tmp_path / "GAIN.profile.pdf").read_bytes().startswith(b"%PDF")


def test_a_section_without_a_profile_is_an_error_with_the_reason(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(aneuploid, tmp_path / "x", "--profile", "--section", "FEW") == 1
    message = stderr(capsys)
    assert "section 'FEW' has no copy-number profile:" in message
    assert "300 on 5 are needed" in message
    assert "hint: a profile needs" in message
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("options", "problem", "hint"),
    [
        (["--profile", "--format", "gif"], "profiles cannot be drawn as 'gif'", "--format png, svg, pdf"),
        (["--format", "svg"], "calls cannot be drawn as 'svg'", "--format png"),
    ],
)
def test_a_format_that_cannot_be_drawn_is_answered_with_those_that_can(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], problem: str, hint: str
) -> None:
    assert plot(aneuploid, tmp_path / "x", *options) == 1
    message = stderr(capsys)
    assert problem in message
    assert message.endswith(f"hint: {hint}")
    assert not (tmp_path / "x").exists()


def test_sections_can_be_named_after_the_detector(aneuploid: Path, tmp_path: Path) -> None:
    store = f"{aneuploid}/store"
    assert run(["plot", store, "prior", "GAIN", "FEW", "-o", str(tmp_path), "-q"]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"GAIN.png", "FEW.png"}
