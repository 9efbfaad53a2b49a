"""Configuration: which source takes precedence, and every mistake at once."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import PositiveInt, ValidationError

from spacrd_core.config import CommandConfig, ComponentSettings, read_config
from spacrd_core.errors import ConfigError, MissingFile, SpacrdError


class Reader(CommandConfig):
    spot_um: float = 100.0
    name: str = "st"


class Settings(CommandConfig):
    seeds: PositiveInt = 1
    words: tuple[str, ...] = ()
    reader: Reader = Reader()


class Strict(CommandConfig):
    path: str


class Open(CommandConfig):
    encoder: ComponentSettings = ComponentSettings()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text('seeds = 2\n[reader]\nspot_um = 50.0\nname = "visium"\n')
    return path


def test_without_any_source_the_defaults_apply() -> None:
    assert read_config(Settings) == Settings()


def test_flags_win_over_set_over_the_file_over_the_defaults(file: Path) -> None:
    assert read_config(Settings, file).seeds == 2
    assert read_config(Settings, file, ["seeds=3"]).seeds == 3
    assert read_config(Settings, file, ["seeds=3"], {"seeds": 4}).seeds == 4


def test_a_flag_that_was_not_given_changes_nothing(file: Path) -> None:
    assert read_config(Settings, file, flags={"seeds": None}).seeds == 2


def test_one_value_of_a_table_can_be_set_and_the_rest_stays(file: Path) -> None:
    assert read_config(Settings, file, ["reader.spot_um=8"]).reader == Reader(spot_um=8.0, name="visium")
    assert read_config(Settings, file, flags={"reader.name": "xenium"}).reader == Reader(spot_um=50.0, name="xenium")


@pytest.mark.parametrize(("text", "words"), [('["a", "b"]', ("a", "b")), ('["a=b"]', ("a=b",))])
def test_values_are_read_as_json(text: str, words: tuple[str, ...]) -> None:
    assert read_config(Settings, overrides=[f"words={text}"]).words == words


def test_values_that_are_not_json_are_text() -> None:
    assert read_config(Settings, overrides=["reader.name=a=b c"]).reader.name == "a=b c"
    assert read_config(Settings, overrides=["reader.name="]).reader.name == ""


def test_every_mistake_is_reported_at_once_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('seeds = -1\nsedes = 3\n[reader]\nspot_um = "wide"\n')
    with pytest.raises(ConfigError) as caught:
        read_config(Settings, file, ["nothing", "seeds.deep=1"])
    mistakes = str(caught.value).split("; ")
    assert len(mistakes) == 5
    assert mistakes[0] == "--set takes KEY=VALUE, not 'nothing'"
    assert mistakes[1] == "seeds.deep: 'seeds' is a value, not a table"
    assert "seeds: Input should be greater than 0, found -1" in mistakes
    assert "unknown setting 'sedes'" in mistakes
    assert any(mistake.startswith("reader.spot_um: ") and "found 'wide'" in mistake for mistake in mistakes)
    assert caught.value.hint == "did you mean seeds?; settings: seeds, words, reader"


def test_unknown_settings_of_every_table_are_named_at_once_with_the_nearest_and_the_valid_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(Settings, overrides=["seed=1", "reader.spot=8", "reader.colour=1"])
    mistakes = str(caught.value).split("; ")
    assert mistakes == ["unknown setting 'reader.spot'", "unknown setting 'reader.colour'", "unknown setting 'seed'"]
    near, *valid = caught.value.hint.split("; ")
    assert near == "did you mean reader.spot_um or seeds?"
    assert valid == ["settings of reader: spot_um, name", "settings: seeds, words, reader"]


def test_mistakes_in_a_table_that_a_component_checks_are_named_with_the_others() -> None:
    def check(table: dict[str, object]) -> None:
        raise ConfigError(f"encoder: unknown setting '{next(iter(table))}'", hint="its options are: size")

    with pytest.raises(ConfigError) as caught:
        read_config(Open, overrides=["seed=1", "encoder.colour=red"], checks={"encoder": check})
    assert str(caught.value) == "unknown setting 'seed'; encoder: unknown setting 'colour'"
    assert caught.value.hint.endswith("its options are: size")


def test_a_mistake_beside_valid_settings_is_still_one() -> None:
    with pytest.raises(ConfigError, match="--set takes KEY=VALUE, not '=3'"):
        read_config(Settings, overrides=["=3"])


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="missing setting 'path'"):
        read_config(Strict)


def test_a_huge_value_is_not_repeated_in_full() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(Settings, overrides=["seeds=" + "x" * 10_000])
    assert len(str(caught.value)) < 300


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no configuration file at"):
        read_config(Settings, tmp_path / "absent.toml")


@pytest.mark.parametrize("content", [b"seeds = ", b"\xff\xfe", b"a = " + b"[" * 100_000, b"a = " + b"1" * 5000])
def test_a_file_that_is_not_toml_is_an_explained_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml is not TOML"):
        read_config(Settings, file)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bom.toml"
    file.write_bytes("\ufeffseeds = 5\r\n".encode())
    assert read_config(Settings, file).seeds == 5


@given(st.text())
def test_no_text_given_to_set_raises_anything_but_an_explained_error(text: str) -> None:
    with contextlib.suppress(SpacrdError):
        read_config(Settings, overrides=[text])


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().seeds = 2  # type: ignore[misc]


def test_a_component_keeps_options_that_only_it_knows() -> None:
    class Config(CommandConfig):
        encoder: ComponentSettings = ComponentSettings(name="uni")

    chosen = read_config(Config, overrides=["encoder.name=stain", "encoder.size=3"]).encoder
    assert (chosen.name, chosen.options) == ("stain", {"size": 3})
