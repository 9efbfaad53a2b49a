import pandas as pd
import pytest
from pydantic import ValidationError

from spacrd_core.config import CommandConfig, read_config
from spacrd_core.detection.bands import Bands
from spacrd_core.errors import ConfigError


class Settings(CommandConfig):
    bands: Bands = Bands()


def test_the_default_bands_are_core_edge_and_500_um_outside() -> None:
    assert Bands().limits_um == (-500, 0, 500)
    assert Bands().names == ("core", "edge", "0 to 500 um outside", "over 500 um outside")
    assert Bands().descriptions[:2] == ("core (over 500 um inside)", "edge (up to 500 um inside)")
    assert Bands(inside_um=()).descriptions == Bands(inside_um=()).names


@pytest.mark.parametrize(
    ("inside", "outside", "names"),
    [
        ((), (), ("inside", "outside")),
        ((), (100,), ("inside", "0 to 100 um outside", "over 100 um outside")),
        ((200, 1000.5), (), ("core", "200 to 1000.5 um inside", "edge", "outside")),
        ((50,), (50, 250), ("core", "edge", "0 to 50 um outside", "50 to 250 um outside", "over 250 um outside")),
    ],
)
def test_every_distance_has_one_named_band(
    inside: tuple[float, ...], outside: tuple[float, ...], names: tuple[str, ...]
) -> None:
    bands = Bands(inside_um=inside, outside_um=outside)
    assert bands.names == names
    assert len(set(names)) == len(bands.limits_um) + 1
    assert list(bands.limits_um) == sorted(bands.limits_um)


def test_bands_are_settings_of_the_command_line() -> None:
    settings = read_config(Settings, None, ("bands.inside_um=[200,400]", "bands.outside_um=250"))
    assert settings.bands == Bands(inside_um=(200, 400), outside_um=(250,))


@pytest.mark.parametrize("value", ["[500,200]", "[200,200]", "[0]", "-100", "near", "[1e999]"])
def test_distances_that_make_no_bands_are_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigError, match=r"bands\.outside_um"):
        read_config(Settings, None, (f"bands.outside_um={value}",))
    with pytest.raises(ValidationError):
        Bands(inside_um=(500, 200))


def test_a_spot_table_records_its_bands_and_an_earlier_one_has_the_default() -> None:
    table, bands = pd.DataFrame(), Bands(inside_um=(), outside_um=(100, 300))
    assert Bands.from_table(table) == Bands()
    bands.attach(table)
    assert Bands.from_table(table) == bands
