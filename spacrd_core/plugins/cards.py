"""The cards that hooks return, as plain data: a card that is none, or holds anything else, is a problem."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from spacrd_core.cards import Card, Network, Recipe
from spacrd_core.plugin_errors import PASSED_ON, describe_error, unmoved
from spacrd_core.plugins.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CARDS = 1000  # of one hook; timm's two thousand networks are the members of one family
DATA_TYPES = (Recipe, Network)
SCALARS: Mapping[type[Any], Callable[[Any], Any]] = {str: str.__str__, int: int.__int__, float: float.__float__}
CardT = TypeVar("CardT", bound=Card)


def cards_of(
    plugin: str, hook: Callable[[], Iterable[object]], kind: str, card_type: type[CardT], problems: list[Problem]
) -> Iterator[CardT]:
    """Yield the cards that a hook returns; whatever it raises, and cards that are none, are added to the problems."""
    try:
        with unmoved():
            returned = tuple(islice(hook(), MAX_CARDS + 1))
            cards = [_plain_card(card, card_type) for card in returned]
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - a third party's hook may raise anything; it must not end ours
        problems.append(Problem(plugin, f"its {kind}s could not be listed: {describe_error(error)}", kind))
        return
    if len(cards) > MAX_CARDS:
        problems.append(Problem(plugin, f"returned more than {MAX_CARDS} {kind}s, of which none is used", kind))
        return
    problems.extend(Problem(plugin, card, kind) for card in cards if isinstance(card, str))
    yield from (card for card in cards if not isinstance(card, str))


def describe(card: Card) -> dict[str, object]:
    """Return a card as JSON-able values."""
    facts: dict[str, object] = json.loads(json.dumps(asdict(card)))
    return facts


def _plain_card(card: object, card_type: type[CardT]) -> CardT | str:
    """Return a card of plain data, or what is wrong with what a hook returned as one."""
    if not isinstance(card, card_type):
        return f"returned {reprlib.repr(card)} instead of a {card_type.__name__}"
    try:
        plain = card_type(**_plain_fields(card, card_type))
        describe(plain)
    except (TypeError, ValueError, RecursionError) as error:
        return f"the card {reprlib.repr(card.name)} cannot be listed: {describe_error(error)}"
    return plain


def _plain_fields(value: Any, kind: type[Any]) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(kind)}


def _plain(value: Any) -> Any:
    """Return data of the built-in types, without what a plugin's own types do when they are compared or shown."""
    if value is None or isinstance(value, bool):
        return value
    for scalar, convert in SCALARS.items():
        if isinstance(value, scalar):
            return convert(value)
    if isinstance(value, list | tuple):
        sequence: type[Any] = list if isinstance(value, list) else tuple
        return sequence(_plain(item) for item in sequence.__iter__(value))
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    for kind in DATA_TYPES:
        if isinstance(value, kind):
            return kind(**_plain_fields(value, kind))
    raise TypeError(f"{type(value).__name__} is not data")
