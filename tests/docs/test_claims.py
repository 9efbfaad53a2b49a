"""Commands, options, names and links in the text of the README and the docs."""

import re
import shlex
from pathlib import Path

import pytest
from commands_page import commands
from documentation.blocks import FENCE, PAGES, README, ROOT, blocks, lines

from spacrd_core import errors, hookspecs

ALWAYS = {"--help", "--debug", "--version"}
OPTIONS = {
    each.words: {
        name
        for given in each.command.params
        for name in (*given.opts, *given.secondary_opts)
        if given.param_type_name == "option"
    }
    for each in commands()
}
DOCS = "\n".join(page.read_text() for page in PAGES)


def commands_in_text() -> list[str]:
    """Every `spacrd` command on the pages: in blocks with and without a language, and in sentences."""
    read = [line for block in blocks("") for line in block.text.splitlines()]
    sentences = re.findall(r"`([^`]+)`", FENCE.sub("", DOCS))
    texts = {line.partition(" #")[0].strip() for line in [*(step.text for step in lines()), *read, *sentences]}
    return sorted(line for line in texts if re.match(r"spacrd [a-z]", line))


def command_of(line: str) -> str:
    """The command of a line; a group alone runs its `list`."""
    words = line.split()
    called = next((" ".join(words[:count]) for count in (3, 2) if " ".join(words[:count]) in OPTIONS), "")
    return called or next((name for name in OPTIONS if name == f"{' '.join(words[:2])} list"), "")


@pytest.mark.parametrize("line", commands_in_text())
def test_every_command_the_pages_name_exists_with_its_options(line: str) -> None:
    called = command_of(line)
    assert called, f"there is no such command: {line}"
    given = {word for word in shlex.split(line.replace("'", "")) if re.match(r"--?[a-z]", word)}
    assert given <= OPTIONS[called] | ALWAYS


@pytest.mark.parametrize("command", OPTIONS)
def test_every_command_and_every_option_is_on_a_page(command: str) -> None:
    section = DOCS.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    assert section
    assert {name for name in OPTIONS[command] if not re.search(rf"(?<![\w-]){name}(?![\w-])", section)} == set()


@pytest.mark.parametrize("hook", [name for name in vars(hookspecs) if name.startswith("spacrd_")])
def test_every_hook_is_on_a_page(hook: str) -> None:
    assert f"`{hook}()`" in DOCS


def kinds_of_errors() -> list[str]:
    return [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("name", kinds_of_errors())
def test_every_kind_of_error_is_on_a_page(name: str) -> None:
    assert f"`{name}`" in DOCS


def test_every_setting_the_pages_name_is_one_that_is_listed() -> None:
    """By kind and key, as in `--set reader.unit=cell`; third-party plugins have other options."""
    named = set(re.findall(r"`(?:--set )?'?((?:reader|encoder|head|cohort)\.[a-z_]+)\b", DOCS))
    listed = set(re.findall(r"^\| `([a-z_.]+)` \|", (ROOT / "docs/commands.md").read_text(), re.MULTILINE))
    assert len(named) > 50
    assert named <= listed


def test_the_readme_has_the_test_command_of_the_ci() -> None:
    line = next(line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("pip install"))
    assert line in README.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, place in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        aim = (page.parent / target) if target else page
        assert aim.exists(), f"{page.name} points at {target}"
        assert not place or place in headings(aim), f"{page.name} points at {target}#{place}"


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [page for page in PAGES[1:] if page.name != "index.md"], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page: Path) -> None:
    """Except the index of the site, which includes the README."""
    assert f"(docs/{page.name}" in README.read_text()
