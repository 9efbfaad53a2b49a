"""The API reference has every public name of the core."""

import re

from documentation.blocks import ROOT

import spacrd_core


def test_every_public_name_is_on_a_page() -> None:
    pages = "".join((ROOT / f"docs/api/{page}.rst").read_text() for page in ("functions", "objects"))
    names = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", pages, re.MULTILINE)
    assert sorted([*names, "__version__"]) == sorted(spacrd_core.__all__)
