"""Groups of patients that are held out together."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from collections.abc import Sequence


def _require_folds(value: object) -> object:
    """Refuse anything but a number of groups and ``patients``."""
    if value == "patients" or (str(value).isdecimal() and int(str(value)) > 1):
        return value
    raise ValueError("should be a number of groups, 2 or more, or 'patients'")


Folds = Annotated[int | Literal["patients"], BeforeValidator(_require_folds)]
Groups = tuple[tuple[str, ...], ...]

MANY_PATIENTS = 10
DEFAULT_FOLDS = 8  # with two of eight groups left out, models still learn from three quarters of the patients


def fold_count(patients: int, folds: Folds | None) -> int:
    """Return the number of groups; None holds out every patient alone if there are fewer than ten, else 8 groups."""
    if folds is None:
        folds = "patients" if patients < MANY_PATIENTS else DEFAULT_FOLDS
    return patients if isinstance(folds, str) else min(patients, folds)


def deal(names: Sequence[str], count: int, *, seed: int) -> Groups:
    """Return names in a number of groups whose sizes differ by at most one; the seed determines which are together.

    >>> deal(["C", "A", "B"], 3, seed=42)
    (('A',), ('B',), ('C',))
    >>> [len(group) for group in deal([*"ABCDE"], 2, seed=42)]
    [3, 2]
    """
    order = sorted(names)
    if count < len(order):
        order = Random(seed).sample(order, len(order))  # noqa: S311 - nothing is secret
    return tuple(sorted(tuple(sorted(order[start::count])) for start in range(count)))
