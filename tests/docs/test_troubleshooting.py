"""Every message that the page on troubleshooting quotes is one that SpaCRD has, and most are had by a mistake."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from documentation.blocks import PAGES, ROOT
from documentation.mistakes import MISTAKES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documentation.run import Done

PAGE = next(page for page in PAGES if page.name == "troubleshooting.md").read_text()
FILLED_IN = "\0"  # what an f-string fills in


def messages() -> list[str]:
    """What the first columns of the page quote."""
    cells = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def matching(message: str) -> re.Pattern[str]:
    """A pattern of a message, in which `...` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in message.split("...")), re.DOTALL)


@cache
def sentences() -> tuple[str, ...]:
    """Every string literal of SpaCRD."""
    files = [file for package in ROOT.glob("spacrd_*") for file in package.rglob("*.py")]
    return tuple(text for file in files for text in _literals(ast.parse(file.read_text())))


def _literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("message", messages())
def test_every_message_on_the_page_is_one_of_ours(message: str) -> None:
    assert any(matching(message).search(sentence) for sentence in sentences())


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_answered_as_the_page_says(message: str, done: Done) -> None:
    result = done.results["troubleshooting.md:0", MISTAKES[message]]
    told = " ".join(str(result["err"]).split()) + " ".join(str(result["out"]).split())
    assert matching(message).search(told), told
    assert message in messages()
    assert (result["code"] == 0) == (f"`{message}` (note)" in PAGE)
    assert "this is a bug" not in told


def test_no_message_is_told_twice() -> None:
    told = messages()
    assert sorted(set(told)) == sorted(told)
