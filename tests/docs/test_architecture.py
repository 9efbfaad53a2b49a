"""The page on architecture lists the packages, and every folder and module of the core in the order of its layers."""

import re
import tomllib

from documentation.blocks import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text()
CORE = ROOT / "spacrd_core"


def rows(heading: str) -> list[str]:
    """The first cells of the table whose header row begins with a heading."""
    table = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def layers() -> list[str]:
    """The folders and modules of the core, from the lowest layer to the highest, as `lint-imports` knows them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    ordered = next(each["layers"] for each in contracts if each.get("containers") == ["spacrd_core"])
    return [name.strip() for layer in reversed(ordered) for name in layer.split("|")]


def test_every_folder_of_the_core_has_a_row() -> None:
    assert sorted(rows("folder")) == sorted(f"{init.parent.name}/" for init in CORE.glob("*/__init__.py"))


def test_every_module_of_the_core_has_a_row() -> None:
    assert sorted(rows("module")) == sorted(file.stem for file in CORE.glob("*.py") if file.name != "__init__.py")


def test_the_rows_are_in_the_order_of_the_layers() -> None:
    assert rows("folder") == [f"{name}/" for name in layers() if (CORE / name).is_dir()]
    assert rows("module") == [name for name in layers() if not (CORE / name).is_dir()]


def test_every_package_has_a_row() -> None:
    assert sorted(rows("package")) == sorted(init.parent.name for init in ROOT.glob("spacrd_*/__init__.py"))
