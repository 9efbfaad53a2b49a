"""Recognise the platform of a path: exactly one reader must accept it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import SpacrdError, UnrecognisedSection
from spacrd_core.section.section import Recognition

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins


def recognise(path: Path, plugins: Plugins) -> str:
    """Return the name of the reader that recognises a path.

    Raises
    ------
    UnrecognisedSection
        If several readers do.
    ExceptionGroup
        If no reader does, with the reason of each.
    """
    recognitions = {card.name: _recognition(path, card.name, plugins) for card in plugins.readers if not card.family}
    matches = [name for name, recognition in recognitions.items() if recognition]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnrecognisedSection(
            f"several readers recognise {path}: {', '.join(matches)}", hint=f"--reader {matches[0]}"
        )
    reasons = [f"not {name}: {recognition.reason}" for name, recognition in recognitions.items()]
    problems = [str(problem) for problem in plugins.readers.problems]
    raise ExceptionGroup(f"no reader recognises {path}", [UnrecognisedSection(reason) for reason in reasons + problems])


def _recognition(path: Path, name: str, plugins: Plugins) -> Recognition:
    """Return a reader's answer for a path; a reader that fails does not recognise it."""
    try:
        recognition: Recognition = plugins.readers.create(name).recognises(path)
    except SpacrdError as error:
        return Recognition(recognised=False, reason=f"{error}; {error.hint}" if error.hint else str(error))
    except Exception as error:  # noqa: BLE001 - a third party's reader may raise anything; it must not stop the others
        return Recognition(recognised=False, reason=f"it raised {type(error).__name__}: {error}")
    return recognition
