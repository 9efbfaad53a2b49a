"""The page on architecture lists the packages, and every folder and module of the core, as they are."""

from __future__ import annotations

import re

from documentation.blocks import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text()
CORE = ROOT / "spacrd_core"


def rows(heading: str) -> list[str]:
    """The first cells of the table whose header row begins with a heading."""
    table = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_every_folder_of_the_core_has_a_row() -> None:
    assert sorted(rows("folder")) == sorted(f"{init.parent.name}/" for init in CORE.glob("*/__init__.py"))


def test_every_module_of_the_core_has_a_row() -> None:
    assert sorted(rows("module")) == sorted(file.stem for file in CORE.glob("*.py") if file.name != "__init__.py")


def test_every_package_has_a_row() -> None:
    assert sorted(rows("package")) == sorted(init.parent.name for init in ROOT.glob("spacrd_*/__init__.py"))
