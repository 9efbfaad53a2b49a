"""Every message on the troubleshooting page is in the source."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from documentation.blocks import ROOT
from documentation.troubleshooting import matching, messages

FILLED_IN = "\0"  # the values of an f-string


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
    parts = message.split("...")
    possible = (sentence for sentence in sentences() if all(part in sentence for part in parts))  # much faster
    assert any(matching(message).search(sentence) for sentence in possible)


def test_no_message_is_listed_twice() -> None:
    listed = messages()
    assert sorted(set(listed)) == sorted(listed)
