"""The error tree matches the one in the module docstring, and every error can be passed between processes."""

import inspect
import pickle
import re

import pytest

from spacrd_core import errors
from spacrd_core.errors import SpacrdError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, SpacrdError)]
LINE = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: \((?P<builtin>\w+)\))?", re.MULTILINE)


def drawn() -> dict[str, tuple[str, str]]:
    """Return the parent and the built-in base of every error in the drawn tree."""
    tree: dict[str, tuple[str, str]] = {}
    path: list[str] = []
    for match in LINE.finditer(errors.__doc__ or ""):
        depth = len(match["branch"]) // 4
        path[depth:] = [match["name"]]
        tree[match["name"]] = (path[depth - 1] if depth else "", match["builtin"] or "")
    return tree


def test_the_tree_in_the_docstring_names_every_error_and_no_other() -> None:
    assert set(drawn()) == {error.__name__ for error in CLASSES}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_has_the_parent_and_the_builtin_it_is_drawn_with(error: type[SpacrdError]) -> None:
    parent, builtin = drawn()[error.__name__]
    bases = [base.__name__ for base in error.__bases__]
    assert bases == [name for name in (parent or "Exception", builtin) if name]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_keeps_its_message_and_hint_between_processes(error: type[SpacrdError]) -> None:
    again = pickle.loads(pickle.dumps(error("no such thing", hint="look elsewhere")))  # noqa: S301 - our own bytes
    assert (type(again), str(again), again.hint) == (error, "no such thing", "look elsewhere")


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_has_a_docstring_of_its_own(error: type[SpacrdError]) -> None:
    assert error.__doc__
    assert error.__doc__ != (error.__base__.__doc__ if error.__base__ else "")
