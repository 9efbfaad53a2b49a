"""What the README and the docs say is true."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import types
from functools import cache
from pathlib import Path

import pytest

from spacrd_cli.main import run
from spacrd_core.contracts import check_encoder

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    """Every fenced block of a language, with its page."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in PAGES for block in pattern.findall(page.read_text())]


def commands() -> list[str]:
    """Every `spacrd` command line of the README and the docs."""
    lines = [line.partition(" #")[0].strip() for _, block in blocks("bash") for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("spacrd ")})


@cache
def help_of(command: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        assert run([command, "--help"]) == 0
    return shown.getvalue()


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_docs_exists_with_its_options(line: str) -> None:
    _, command, *rest = shlex.split(line)
    shown = help_of(command)
    for word in rest:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown), f"{word} is no option of {command}"


def test_the_readmes_plugin_keeps_the_contract() -> None:
    source = next(block for _, block in blocks("python") if "class Brightness" in block)
    module = types.ModuleType("brightness")
    exec(compile(source, "README.md", "exec"), module.__dict__)  # noqa: S102 - the README's own code
    check_encoder(module.Brightness(module.Brightness.Options()))


@pytest.mark.parametrize(("page", "block"), blocks("python"))
def test_every_python_block_compiles(page: str, block: str) -> None:
    compile(block, page, "exec")


def test_the_tests_are_run_as_the_readme_says() -> None:
    line = next(line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("pip install"))
    assert line in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} points at {target}"
