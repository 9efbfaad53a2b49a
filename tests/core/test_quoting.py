"""Values and lists in messages: as long as they must be, whatever the input."""

import pytest
from pydantic import ValidationError

from spacrd_core.config import mistakes
from spacrd_core.errors import SpacrdError
from spacrd_core.files import Record
from spacrd_core.quoting import MAX_MESSAGE, bounded, listed, shortened


def test_a_short_value_is_quoted_as_it_is_and_a_long_one_to_80_signs() -> None:
    assert shortened("S1") == "S1"
    assert shortened("x" * 80) == "x" * 80
    assert len(shortened("x" * 10_000_000)) == 80


def test_ten_values_are_listed_and_the_others_counted() -> None:
    assert listed(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(range(1_000_000)).endswith("8, 9 and 999990 more")
    assert listed(["a", "b"], separator=" or ", quote="'") == "'a' or 'b'"


def test_no_error_is_as_long_as_its_input() -> None:
    error = SpacrdError(f"value {'x' * 10_000_000} at the end", hint="y" * 10_000_000)
    assert len(str(error)) < 1.1 * MAX_MESSAGE
    assert str(error).startswith("value xxx")
    assert str(error).endswith("at the end")
    assert len(error.hint) < 1.1 * MAX_MESSAGE


def test_a_message_of_usual_length_is_not_changed() -> None:
    assert bounded("a sentence") == "a sentence"


class Numbers(Record):
    numbers: dict[str, int]


def test_the_mistakes_of_a_file_are_listed_like_values() -> None:
    with pytest.raises(ValidationError) as caught:
        Numbers(numbers={f"{'k' * 1_000_000}{number}": "no" for number in range(50)})
    sentences = mistakes(caught.value)
    assert len(sentences) == 11
    assert sentences[-1] == "and 40 more mistakes"
    assert max(map(len, sentences)) < 300
