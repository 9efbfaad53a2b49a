"""The options of ``spacrd`` and its presets."""

import pytest
from pydantic import ValidationError

from spacrd_core.cohort.options import CohortOptions
from spacrd_fusion.options import COHORT_DEFAULTS, PRESETS, SpaCRDOptions

RELEASED = ("unit_tokens", "neighbour_norm", "neighbour_statistics", "class_mean_start", "random_negatives")
PAPERS = pytest.mark.parametrize("preset", ["paper", "paper-clean"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_gives_the_options_that_are_not_set(preset: str) -> None:
    options = SpaCRDOptions.model_validate({"preset": preset})
    assert options.model_dump(include=set(PRESETS[preset])) == PRESETS[preset]
    plain = SpaCRDOptions().model_dump(exclude={"preset", *PRESETS[preset]})
    assert options.model_dump(exclude={"preset", *PRESETS[preset]}) == plain


@PAPERS
def test_the_presets_of_the_paper_give_the_published_settings(preset: str) -> None:
    options = SpaCRDOptions.model_validate({"preset": preset})
    assert (options.temperature, options.alpha, options.batch_size) == (0.07, 0.5, 512)
    assert (options.prior_weight, options.separation_weight, options.reconstruction_weight) == (0.5, 0.1, 0.1)


def test_the_preset_paper_clean_has_nothing_of_the_released_code_alone() -> None:
    clean, paper = SpaCRDOptions(preset="paper-clean"), SpaCRDOptions(preset="paper")
    assert [getattr(paper, name) for name in RELEASED] == [False, True, True, 0.01, True]
    assert [getattr(clean, name) for name in RELEASED] == [True, False, False, 0.1, False]
    unlike = {"preset", *RELEASED}
    assert clean.model_dump(exclude=unlike) == paper.model_dump(exclude=unlike)


def test_the_preset_default_has_nothing_of_the_released_code() -> None:
    assert [getattr(SpaCRDOptions(), name) for name in RELEASED] == [False, False, False, 0.1, False]


@PAPERS
def test_the_presets_of_the_paper_are_the_published_model_without_additions(preset: str) -> None:
    options = SpaCRDOptions.model_validate({"preset": preset})
    assert (options.expert, options.smoothing) == (False, False)
    assert (options.attention, options.reconstruction) == (True, True)


def test_nothing_is_ablated_by_default() -> None:
    options = SpaCRDOptions()
    assert (options.attention, options.reconstruction, options.expert, options.smoothing) == (True,) * 4


@pytest.mark.parametrize("part", ["attention", "reconstruction"])
def test_a_part_can_be_left_out_of_the_published_model(part: str) -> None:
    options = SpaCRDOptions.model_validate({"preset": "paper", part: False})
    assert getattr(options, part) is False
    assert options.model_dump(exclude={part}) == SpaCRDOptions(preset="paper").model_dump(exclude={part})


def test_every_preset_has_valid_cohort_defaults() -> None:
    presets = SpaCRDOptions.model_json_schema()["properties"]["preset"]["enum"]
    assert set(COHORT_DEFAULTS) == set(PRESETS) == set(presets)
    for defaults in COHORT_DEFAULTS.values():
        assert CohortOptions.model_validate(defaults).model_dump(include=set(defaults)) == defaults


def test_an_option_overrides_the_preset() -> None:
    options = SpaCRDOptions(preset="paper", width=128, align_epochs=2)
    assert (options.width, options.align_epochs, options.hidden) == (128, 2, (1024, 512))


@pytest.mark.parametrize("preset", PRESETS)
def test_resolved_options_survive_a_round_trip_through_json(preset: str) -> None:
    options = SpaCRDOptions.model_validate({"preset": preset, "latent": 9})
    assert SpaCRDOptions.model_validate_json(options.model_dump_json()) == options


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "big"},
        {"width": 10, "heads": 4},
        {"dropout": 1.0},
        {"latent_hidden": ()},
        {"depth": 3},
        {"components": -1},
    ],
)
def test_invalid_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SpaCRDOptions.model_validate(options)
