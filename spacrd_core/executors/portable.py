"""Errors that can be sent to another process; those that a plugin derives from ours may not be."""

from __future__ import annotations

import pickle

from spacrd_core.errors import SpacrdError
from spacrd_core.plugin_errors import PASSED_ON, describe_error

OURS = SpacrdError.__module__


def portable(error: Exception) -> Exception:
    """Return an explained error, or one that says the same in a type of ours if it cannot be pickled and unpickled."""
    if _survives(error):
        return error
    if isinstance(error, ExceptionGroup):
        return ExceptionGroup(error.message, [portable(each) for each in error.exceptions])
    kind = next((each for each in type(error).__mro__ if each.__module__ == OURS), SpacrdError)
    copy: Exception = kind(_text(error), hint=str(getattr(error, "hint", "")))
    for note in error.context if isinstance(error, SpacrdError) else ():
        copy.add_note(str(note))
    return copy


def _survives(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - what was pickled just now
    except PASSED_ON:
        raise
    except BaseException:  # noqa: BLE001 - a plugin's type may raise anything
        return False


def _text(error: Exception) -> str:
    try:
        return str(error)
    except PASSED_ON:
        raise
    except BaseException:  # noqa: BLE001 - as above
        return describe_error(error)
