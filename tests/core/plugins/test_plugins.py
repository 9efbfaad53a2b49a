"""Components by name: built-in and third-party ones, and broken plugins."""

import importlib
from importlib.metadata import EntryPoint

import pytest
from conftest import Install

from spacrd_core import hookspecs
from spacrd_core.cards import Card, ComponentOptions, EncoderCard, HeadCard, ReaderCard
from spacrd_core.errors import ConfigError, PluginError, UnknownName
from spacrd_core.plugins import Plugins, Problem, Registry, describe, load_plugins
from spacrd_core.plugins.claims import registry_of

BUILT_IN = [
    (registry.kind, card)
    for registry in vars(load_plugins()).values()
    if isinstance(registry, Registry)
    for card in registry
]


class Named:
    """A component that records its arguments."""

    class Options(ComponentOptions):
        size: int = 3
        depth: int = 1

    def __init__(self, options: Options, **context: object) -> None:
        self.options = options
        self.context = context


def registry(*cards: EncoderCard) -> Registry[EncoderCard]:
    return Registry("encoder", cards)


def encoder(name: str, *, family: bool = False, aliases: tuple[str, ...] = ()) -> EncoderCard:
    return EncoderCard(name, f"{__name__}:Named", "An encoder", aliases=aliases, family=family)


@pytest.mark.parametrize(("kind", "card"), BUILT_IN, ids=lambda value: value.name if isinstance(value, Card) else value)
def test_the_target_of_every_card_resolves_and_has_options(plugins: Plugins, kind: str, card: Card) -> None:
    component = getattr(plugins, f"{kind}s").load(f"{card.name}:member" if card.family else card.name)
    assert issubclass(component.Options, ComponentOptions)


def test_built_in_components_are_loaded_as_plugins(plugins: Plugins) -> None:
    assert plugins.problems == ()
    assert {"st"} <= {card.name for card in plugins.readers}
    assert {"stain", "timm", "uni"} <= {card.name for card in plugins.encoders}
    assert {"spacrd", "linear"} <= {card.name for card in plugins.heads}


@pytest.mark.parametrize("kind", ["readers", "encoders", "heads"])
def test_every_hook_finds_the_components_of_an_installed_distribution(install: Install, kind: str) -> None:
    before = {card.name for card in getattr(load_plugins(), kind)}
    install("mylab")
    after = load_plugins()
    assert {card.name for card in getattr(after, kind)} - before == {
        {"readers": "mylab", "encoders": "colour", "heads": "neighbours"}[kind]
    }
    assert after.problems == ()


def test_the_miniature_distribution_implements_every_hook(install: Install) -> None:
    install("mylab")
    plugin = importlib.import_module("mylab_spacrd.plugin")
    hooks = {name for name in vars(hookspecs) if name.startswith("spacrd_")}
    assert {name for name in vars(plugin) if name.startswith("spacrd_")} == hooks
    assert {f"spacrd_{registry.kind}s" for registry, _ in load_plugins().of_plugin("mylab-spacrd")} == hooks


def test_the_components_of_spacrd_are_those_of_no_plugin(plugins: Plugins) -> None:
    assert plugins.of_plugin("spacrd") == []


def test_an_alias_takes_no_name_of_another_component() -> None:
    mine = EncoderCard("mine", f"{__name__}:Named", "An encoder", aliases=("uni",))
    both = registry_of("encoder", [("mylab:x", mine), ("spacrd:encoders", encoder("uni"))], {})
    for name in ("uni", "uni:x"):
        with pytest.raises(UnknownName, match="encoder 'uni' cannot be used: the name is claimed by mylab:x and sp"):
            both.card(name)
    assert both.card("mine") == mine


def test_every_hook_is_zero_argument_and_documented() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("spacrd_")}
    assert set(hooks) == {f"spacrd_{kind}s" for kind in ("reader", "encoder", "head")}
    for hook in hooks.values():
        assert hook.__code__.co_argcount == 0
        assert hook.__doc__


def test_a_plugin_that_cannot_be_imported_is_a_problem_and_affects_no_other(install: Install) -> None:
    install("broken_import", "mylab")
    plugins = load_plugins()
    assert [problem.plugin for problem in plugins.problems] == ["broken-import:broken"]
    assert "ModuleNotFoundError: No module named 'a_missing_library'" in plugins.problems[0].sentence
    assert plugins.heads.card("neighbours").name == "neighbours"


def test_a_hook_that_raises_is_a_problem(install: Install) -> None:
    install("broken_hook")
    sentences = [problem.sentence for problem in load_plugins().problems]
    assert "its encoders could not be listed: RuntimeError: no licence server" in sentences


def test_an_unknown_hook_is_a_problem(install: Install) -> None:
    install("broken_hook")
    sentences = [problem.sentence for problem in load_plugins().problems]
    expected = "'spacrd_reader' is not a hook; the hooks are spacrd_readers, spacrd_encoders, spacrd_heads"
    assert expected in sentences


def test_a_wrong_card_is_a_problem_and_the_valid_cards_are_kept(install: Install) -> None:
    install("broken_card")
    plugins = load_plugins()
    assert [problem.kind for problem in plugins.problems] == ["reader", "reader"]
    assert all("instead of a ReaderCard" in problem.sentence for problem in plugins.problems)
    assert plugins.readers.card("right").summary == "Right"


def test_a_name_claimed_twice_is_an_error_only_when_it_is_used(install: Install) -> None:
    install("broken_name")
    plugins = load_plugins()
    claim = "the name is claimed by broken-name:broken and spacrd:heads"
    assert [str(problem) for problem in plugins.problems] == [f"head 'linear': {claim}"]
    assert plugins.heads.card("spacrd").name == "spacrd"
    assert "linear" not in [card.name for card in plugins.heads]
    with pytest.raises(UnknownName, match=f"head 'linear' cannot be used: {claim}"):
        plugins.heads.card("linear")


def test_a_module_without_hooks_is_a_problem() -> None:
    plugins = load_plugins([EntryPoint("forgetful", "spacrd_core.progress", "spacrd")])
    assert [str(problem) for problem in plugins.problems] == [
        "plugin ?:forgetful: spacrd_core.progress has no function marked @hookimpl"
    ]


def test_a_component_that_cannot_be_imported_names_the_extra_to_install(install: Install) -> None:
    install("broken_name")
    with pytest.raises(
        PluginError, match=r"head 'elsewhere' of the plugin broken-name 0.0.1 could not be imported: Mod"
    ) as caught:
        load_plugins().heads.load("elsewhere")
    assert caught.value.hint == "pip install 'spacrd[dask]'"
    with pytest.raises(PluginError, match="has no attribute 'Absent'"):
        load_plugins().heads.load("absent")


def test_a_component_without_options_is_an_error(install: Install) -> None:
    install("broken_card")
    with pytest.raises(PluginError, match="reader 'right' has no Options"):
        load_plugins().readers.create("right")


def test_an_unknown_name_is_refused_with_the_nearest_spelling() -> None:
    with pytest.raises(UnknownName, match="no encoder is named 'UNII'") as caught:
        registry(encoder("uni"), encoder("stain")).card("UNII")
    assert caught.value.hint == "did you mean uni?"


def test_a_name_is_not_offered_twice_under_its_alias() -> None:
    with pytest.raises(UnknownName) as caught:
        registry(encoder("uni2", aliases=("uni2-h",)), encoder("uni")).card("uni2h")
    assert caught.value.hint == "did you mean uni2-h or uni?"


def test_a_dissimilar_name_is_refused_with_all_available_names() -> None:
    with pytest.raises(UnknownName) as caught:
        registry(encoder("uni"), encoder("timm", family=True)).card("xyzzy")
    assert caught.value.hint == "available: uni, timm:..."


def test_an_alias_stands_for_its_card() -> None:
    assert registry(encoder("uni", aliases=("uni_v1",))).card("uni_v1").name == "uni"


def test_results_are_stored_under_one_name_for_all_aliases() -> None:
    both = registry(encoder("uni", aliases=("uni_v1",)), encoder("timm", family=True, aliases=("pytorch",)))
    assert [both.canonical(name) for name in ("uni", "uni_v1")] == ["uni", "uni"]
    assert both.canonical("pytorch:hub:vit_b") == "timm:hub:vit_b"
    with pytest.raises(UnknownName):
        both.canonical("univ1")


def test_a_family_needs_a_member_and_nothing_else_takes_one() -> None:
    both = registry(encoder("uni"), encoder("timm", family=True))
    assert both.card("timm:vit_b:rest").name == "timm"
    with pytest.raises(UnknownName, match="'timm' is a family"):
        both.card("timm")
    with pytest.raises(UnknownName, match="'timm:' is a family"):
        both.card("timm:")
    with pytest.raises(UnknownName, match="'uni' is not a family"):
        both.card("uni:v2")


def test_a_component_is_created_with_its_options_and_context() -> None:
    created = registry(encoder("uni")).create("uni", {"size": "5"}, dims="both")
    assert (created.options.size, created.context) == (5, {"dims": "both"})


def test_a_member_of_a_family_receives_its_name_after_the_first_colon() -> None:
    created = registry(encoder("timm", family=True)).create("timm:hub:vit_b")
    assert created.context == {"member": "hub:vit_b"}


def test_all_mistakes_in_the_options_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        registry(encoder("uni")).create("uni", {"size": "wide", "depht": 2})
    assert "size: Input should be a valid integer" in str(caught.value)
    assert "unknown setting 'depht'" in str(caught.value)
    assert caught.value.hint == "its options are: size, depth"


def test_a_card_is_described_by_plain_values(plugins: Plugins) -> None:
    description = describe(plugins.encoders.card("stain"))
    assert description["name"] == "stain"
    assert isinstance(description["recipe"], dict)


def test_a_problem_names_what_it_affects() -> None:
    assert str(Problem("mylab:x", "it is broken")) == "plugin mylab:x: it is broken"
    assert str(Problem("mylab:x", "it is broken", "head", "mine")) == "head 'mine': it is broken"


def test_each_kind_has_its_own_card_type(plugins: Plugins) -> None:
    kinds = {"reader": ReaderCard, "encoder": EncoderCard, "head": HeadCard}
    assert all(isinstance(card, kinds[kind]) for kind, card in BUILT_IN)
