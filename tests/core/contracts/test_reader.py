"""The contract of readers detects every violation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MakeSection
from scipy import sparse

from spacrd_core.cards import ComponentOptions
from spacrd_core.contracts.reader import EXAMPLE_CHECKS, SECTION_CHECKS, check_reader
from spacrd_core.errors import ContractError, CountsError, ImageError
from spacrd_core.section.section import ImageInputs, Recognition, Section


class Good:
    Options: type[ComponentOptions] = ComponentOptions

    def __init__(self, section: Section | None = None) -> None:
        self.section = section

    def recognises(self, path: Path) -> Recognition:
        return Recognition(path.name == "example", "it is not called example")

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        if path.name != "example" or self.section is None:
            raise CountsError(f"{path} is no example")
        slide, scale = self.section.slide, inputs.image_scale
        if slide is None or scale is None:
            return self.section
        finer = slide.scale / scale
        return replace(self.section, slide=replace(slide, scale=scale, um_per_px=slide.um_per_px * finer))


class NoOptions(Good):
    Options = int  # type: ignore[assignment]


class Greedy(Good):
    def recognises(self, path: Path) -> Recognition:
        return Recognition(recognised=True)


class Silent(Good):
    def recognises(self, path: Path) -> Recognition:
        return Recognition(recognised=False)


class Terse(Good):
    def recognises(self, path: Path) -> Recognition:
        return False  # type: ignore[return-value]


class Crashes(Good):
    def read(self, path: Path, inputs: ImageInputs) -> Section:
        raise KeyError("spot")


class Lenient(Good):
    def read(self, path: Path, inputs: ImageInputs) -> Section:
        return None  # type: ignore[return-value]


class IgnoresTheScale(Good):
    def read(self, path: Path, inputs: ImageInputs) -> Section:
        return super().read(path, replace(inputs, image_scale=None))


class IgnoresTheScaleOfAGivenImage(IgnoresTheScale):
    """Its example has no image of its own."""

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        section = super().read(path, inputs)
        return replace(section, slide=section.slide if inputs.image else None)


class RefusesAScale(Good):
    def read(self, path: Path, inputs: ImageInputs) -> Section:
        if inputs.image_scale:
            raise ImageError("the image of an example has a known scale")
        return super().read(path, inputs)


@pytest.fixture
def section(make_section: MakeSection) -> Section:
    return make_section(0)


def test_a_good_reader_and_its_section_pass(section: Section) -> None:
    check_reader(Good())
    check_reader(Good(section), Path("example"))
    check_reader(Good(replace(section, slide=None)), Path("example"))


def test_a_section_of_one_spot_has_no_pitch_to_disagree_with(section: Section) -> None:
    check_reader(Good(replace(section, counts=section.counts[:1].copy())), Path("example"))


@pytest.mark.parametrize("reader", [IgnoresTheScale, IgnoresTheScaleOfAGivenImage])
def test_a_reader_that_ignores_a_given_image_scale_is_refused(section: Section, reader: type[Good]) -> None:
    with pytest.raises(ContractError, match=r"image_scale=\S+ was given, but the scale of the slide is 1"):
        check_reader(reader(section), Path("example"))


def test_a_reader_may_refuse_a_given_image_scale(section: Section) -> None:
    check_reader(RefusesAScale(section), Path("example"))


@pytest.mark.parametrize(
    ("reader", "sentence"),
    [
        (NoOptions, "NoOptions.Options must derive from"),
        (Greedy, r"recognises must reject noise\.bin"),
        (Silent, r"must give a reason for rejecting noise\.bin"),
        (Terse, "must return a Recognition, found False"),
        (Crashes, r"reading noise\.bin must raise an InputError, but raised KeyError"),
        (Lenient, r"reading noise\.bin must raise an InputError, but raised nothing"),
    ],
)
def test_a_violation_is_reported(reader: type[Good], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        check_reader(reader())


def test_an_example_must_be_recognised(section: Section) -> None:
    with pytest.raises(ContractError, match="rejected it: it is not called example"):
        check_reader(Good(section), Path("other"))


def without(section: Section, table: str, column: str) -> Section:
    del getattr(section.counts, table)[column]
    return section


def with_counts(section: Section, change: Callable[[sparse.csr_matrix], object]) -> Section:
    section.counts.X = change(section.counts.X)
    return section


def moved(section: Section, column: str, factor: float) -> Section:
    section.counts.obs[column] *= factor
    return section


def renamed(section: Section) -> Section:
    section.counts.obs_names = ["same"] * section.counts.n_obs
    return section


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: replace(s, platform=""), "must name its platform"),
        (lambda s: replace(s, um_per_px=float("nan")), "sizes must be positive, found {'um_per_px': nan"),
        (lambda s: replace(s, spot_shape="star"), "found 'star'"),
        (lambda s: with_counts(s, sparse.csc_matrix), r"sparse CSR of shape \(144, 40\), found csc"),
        (lambda s: with_counts(s, lambda x: x.toarray()), "found ndarray"),
        (lambda s: with_counts(s, lambda x: x * 0.5), "whole numbers"),
        (lambda s: with_counts(s, lambda x: -x), "not negative"),
        (renamed, "every spot must have a unique name"),
        (lambda s: without(s, "var", "gene_id"), "missing: gene_id"),
        (lambda s: without(s, "obs", "x_px"), "missing: x_px"),
        (lambda s: moved(s, "x_um", float("nan")), "positions must be finite"),
        (lambda s: replace(s, um_per_px=4.0), "um_per_px is 4, but the ratio of the positions in um and px is 5"),
        (lambda s: replace(s, pitch_um=100.0), "pitch_um is 100, but neighbouring spots are 200 um apart"),
        (lambda s: replace(s, slide=replace(s.slide, scale=0.5)), "must be the section's um_per_px 5, found 2.5"),
        (lambda s: replace(s, slide=replace(s.slide, path=Path("gone"))), "the slide gone does not exist"),
        (lambda s: replace(s, sources=()), "must name the files"),
        (lambda s: replace(s, sources=(replace(s.sources[0], role="counts"),)), "as a source with the role 'image'"),
        (lambda s: replace(s, sources=(replace(s.sources[0], sha256="0"),)), "must have a SHA-256, found '0'"),
    ],
)
def test_a_section_that_breaks_the_contract_is_refused(
    section: Section, change: Callable[[Section], Section], sentence: str
) -> None:
    broken = change(section)
    with pytest.raises(ContractError, match=sentence):
        check_reader(Good(broken), Path("example"))


def test_every_check_of_a_section_is_a_sentence_for_users() -> None:
    assert all(check.__doc__ for check in (*SECTION_CHECKS, *EXAMPLE_CHECKS))
