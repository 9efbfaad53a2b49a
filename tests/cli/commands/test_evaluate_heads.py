"""Which heads an evaluation compares."""

import pytest

from spacrd_cli.commands.evaluate_heads import variants
from spacrd_core.errors import ConfigError, UnknownName
from spacrd_core.plugins import Plugins


def test_without_a_name_the_default_head_and_the_baseline_are_compared(plugins: Plugins) -> None:
    assert [each.label for each in variants([], {}, plugins.heads)] == ["spacrd", "linear"]


@pytest.mark.parametrize(
    ("named", "labels"),
    [
        (["spacrd"], ["spacrd", "linear"]),
        (["linear"], ["linear"]),
        (["linear", "spacrd"], ["linear", "spacrd"]),
        (["linear+components=5"], ["linear+components=5", "linear"]),
        (["spacrd", "spacrd"], ["spacrd", "linear"]),
    ],
)
def test_the_baseline_is_always_included_once(named: list[str], labels: list[str], plugins: Plugins) -> None:
    assert [each.label for each in variants(named, {}, plugins.heads)] == labels


def test_a_variant_has_its_options_and_bears_them_in_its_label(plugins: Plugins) -> None:
    plain, ablated, _ = variants(["spacrd", "spacrd+align_epochs=0+preset=paper"], {}, plugins.heads)
    assert (plain.label, plain.head.options) == ("spacrd", {})
    assert ablated.label == "spacrd+align_epochs=0+preset=paper"
    assert ablated.head.name == "spacrd"
    assert ablated.head.options == {"align_epochs": 0, "preset": "paper"}


def test_a_plus_in_a_value_parts_nothing(plugins: Plugins) -> None:
    variant = variants(["spacrd+learning_rate=1e+0+hidden=[64, 32]"], {}, plugins.heads)[0]
    assert variant.head.options == {"learning_rate": 1.0, "hidden": [64, 32]}


def test_the_options_of_a_variant_win_over_its_heads_table(plugins: Plugins) -> None:
    tables = {"linear": {"components": 7, "inverse_penalty": 2.0}}
    variant, baseline = variants(["linear+components=5"], tables, plugins.heads)
    assert variant.head.options == {"components": 5, "inverse_penalty": 2.0}
    assert baseline.head.options == tables["linear"]


def test_heads_that_have_a_table_are_compared_where_none_is_named(plugins: Plugins) -> None:
    assert [each.label for each in variants([], {"spacrd": {"width": 8}}, plugins.heads)] == ["spacrd", "linear"]
    assert [each.label for each in variants([], {"linear": {"components": 8}}, plugins.heads)] == ["linear"]


@pytest.mark.parametrize(
    ("entry", "error", "sentence"),
    [
        ("linear+dream=1", ConfigError, "head 'linear': unknown setting 'dream'"),
        ("linear+components=x", ConfigError, "head 'linear': components: Input should be a valid integer"),
        ("linear+name=x", ConfigError, "--head linear+name=x: 'name' is not an option of a head"),
        ("deep+width=1", UnknownName, "no head is named 'deep'"),
        ("linear+components", UnknownName, "no head is named 'linear+components'"),
    ],
)
def test_a_mistake_in_a_variant_is_reported_before_anything_is_trained(
    entry: str, error: type[Exception], sentence: str, plugins: Plugins
) -> None:
    with pytest.raises(error) as caught:
        variants([entry], {}, plugins.heads)
    assert str(caught.value).startswith(sentence)
    assert caught.value.hint  # type: ignore[attr-defined]


def test_a_variant_is_trained_under_its_label(plugins: Plugins) -> None:
    compared = variants(["spacrd", "spacrd+align_epochs=0"], {}, plugins.heads)
    assert [(variant.options.name, variant.options.label) for variant in compared] == [
        ("spacrd", "spacrd"),
        ("spacrd", "spacrd+align_epochs=0"),
        ("linear", "linear"),
    ]
