"""Every message on the troubleshooting page is in the source, and a mistake causes most of them."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from documentation.blocks import PAGES, ROOT
from documentation.mistakes import MISTAKES
from documentation.run import Done

PAGE = next(page for page in PAGES if page.name == "troubleshooting.md").read_text()
FILLED_IN = "\0"  # the values of an f-string


def messages() -> list[str]:
    """The messages in the first columns of the tables."""
    cells = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def matching(message: str) -> re.Pattern[str]:
    """The pattern of a message, in which `...` matches anything."""
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
def test_every_message_on_the_page_is_in_the_source(message: str) -> None:
    assert any(matching(message).search(sentence) for sentence in sentences())


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_causes_the_message_on_the_page(message: str, done: Done) -> None:
    result = done.results["troubleshooting.md:0", MISTAKES[message]]
    output = " ".join(str(result["err"]).split()) + " ".join(str(result["out"]).split())
    assert matching(message).search(output), output
    assert message in messages()
    assert (result["code"] == 0) == (f"`{message}` (note)" in PAGE)
    assert "this is a bug" not in output


def test_no_message_is_listed_twice() -> None:
    listed = messages()
    assert sorted(set(listed)) == sorted(listed)
