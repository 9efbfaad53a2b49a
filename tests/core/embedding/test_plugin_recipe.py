"""Embeddings by a plugin's encoder: other options or another version of the plugin are another recipe."""

from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import Install, MakeSection

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import PluginError
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

CPU = Settings(device="cpu")
RECIPE = Recipe(input_px=8, um_per_px=5.0, dim=2)


class Files(ComponentOptions):
    table: Path | None = None
    tables: tuple[Path, ...] = ()


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    return store


def of_version(install: Install, version: str) -> Plugins:
    """Install mylab, whose encoder states neither its options nor its version, in some version."""
    folder = install("mylab")
    metadata = next(folder.glob("mylab*")) / "METADATA"
    text = "\n".join(line for line in metadata.read_text().splitlines() if not line.startswith("Version"))
    metadata.write_text(f"{text}\nVersion: {version}\n")
    return load_plugins()


def test_other_options_are_another_recipe(install: Install, store: SpotStore) -> None:
    plugins = of_version(install, "1.0")
    for options, patches in (({}, 144), ({}, 0), ({"gamma": 2.0}, 144), ({"gamma": 2.0}, 0), ({"gamma": 1.0}, 0)):
        report = embed(store, "colour", options=options, settings=CPU, plugins=plugins)
        assert report.patches == patches, options
    assert len(store.entry("S1").embeddings) == 2


def test_another_version_of_the_plugin_is_another_recipe(install: Install) -> None:
    first = of_version(install, "1.0").encoders.create("colour").recipe
    assert first == load_plugins().encoders.create("colour").recipe
    metadata = next(Path(str(distribution("mylab-spacrd").locate_file(""))).glob("mylab*/METADATA"))
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    second = load_plugins().encoders.create("colour").recipe
    assert first.key != second.key
    assert "1.0" in first.differences(second)
    assert "1.1" in first.differences(second)
    assert (first.plugin, second.plugin) == ("mylab-spacrd 1.0", "mylab-spacrd 1.1")


def test_a_file_given_as_an_option_counts_by_its_content(tmp_path: Path) -> None:
    first, copy, other = (tmp_path / name for name in ("first", "copy", "other"))
    for file, text in ((first, "a"), (copy, "a"), (other, "b")):
        file.write_text(text)
    keys = [RECIPE.completed(Files(table=file).facts(), "mylab 1").key for file in (first, copy, other)]
    assert keys[0] == keys[1] != keys[2]
    in_a_list = [RECIPE.completed(Files(tables=(file,)).facts(), "mylab 1").key for file in (first, copy, other)]
    assert in_a_list[0] == in_a_list[1] != in_a_list[2]


def test_default_options_that_are_given_are_the_same_recipe() -> None:
    assert Files(table=None).facts() == Files().facts() == {}


def test_settings_of_the_recipe_are_kept_whatever_they_are() -> None:
    for settings in ('{"version": 2}', "free text", "[1]"):
        completed = replace(RECIPE, settings=settings).completed({"gamma": 2}, "mylab 1")
        assert settings.strip("{}[]") in completed.settings.replace("\\", "")
        assert '"plugin": "mylab 1"' in completed.settings


def test_a_recipe_that_cannot_be_completed_is_refused(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = of_version(install, "1.0")
    monkeypatch.setattr(plugins.encoders.load("colour"), "recipe", property(lambda _: RECIPE))
    with pytest.raises(PluginError, match="cannot be set") as caught:
        plugins.encoders.create("colour")
    assert "attribute" in caught.value.hint
