"""JSON that is nested too deeply is refused as no JSON, by whoever reads it."""

import json

import pytest

from spacrd_core.opening.json_text import MAX_DEPTH, parse_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("text", [nested(MAX_DEPTH + 1), nested(10**6), "[" * 10**6, '{"a":' * 10**5])
def test_a_text_nested_too_deeply_is_no_json(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ValueError, match="nested deeper than 100 levels"):
            parse_json(form)


def test_as_many_levels_as_annotations_have_are_read() -> None:
    assert parse_json(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))


def test_brackets_side_by_side_are_not_deep() -> None:
    document = {"features": [{"a": [1, 2]}] * 1000, "text": "]]][[["}
    assert parse_json(json.dumps(document)) == document


def test_depth_is_counted_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacrd_core.opening.json_text.BLOCK", 7)
    assert parse_json(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match="nested deeper"):
        parse_json(nested(MAX_DEPTH + 1))


def test_constants_are_read_as_asked() -> None:
    assert parse_json("[NaN]", parse_constant=lambda _: None) == [None]
