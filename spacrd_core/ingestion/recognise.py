"""Recognise the platform of a path: exactly one reader must accept it."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

from spacrd_core.errors import SpacrdError, UnrecognisedSection
from spacrd_core.ingestion.advice import advise
from spacrd_core.plugin_errors import PASSED_ON, describe_error
from spacrd_core.section.section import Recognition

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins


def recognise(path: Path, plugins: Plugins) -> str:
    """Return the name of the reader that recognises a path.

    Raises
    ------
    UnrecognisedSection
        If several readers do; or if none does, and it is known what the path is.
    ExceptionGroup
        If no reader does, with the reason of each.
    """
    recognitions = _recognitions(path, plugins)
    matches = [name for name, recognition in recognitions.items() if recognition]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnrecognisedSection(
            f"several readers recognise {path}: {', '.join(matches)}", hint=f"--reader {matches[0]}"
        )
    if advice := advise(
        path, lambda other: _reader_of(other, plugins), readers=[card.name for card in plugins.readers]
    ):
        raise advice
    reasons = [f"not {name}: {recognition.reason}" for name, recognition in recognitions.items()]
    problems = [str(problem) for problem in plugins.readers.problems]
    raise ExceptionGroup(f"no reader recognises {path}", [UnrecognisedSection(reason) for reason in reasons + problems])


def _reader_of(path: Path, plugins: Plugins) -> str:
    """Return the only reader that recognises a path, or ''."""
    matches = [name for name, recognition in _recognitions(path, plugins).items() if recognition]
    return matches[0] if len(matches) == 1 else ""


def _recognitions(path: Path, plugins: Plugins) -> dict[str, Recognition]:
    """Return the answer of every reader for a path."""
    return {
        card.name: _recognition(path, card.name, plugins)
        for card in plugins.readers
        if not (card.family or card.on_request)
    }


def _recognition(path: Path, name: str, plugins: Plugins) -> Recognition:
    """Return a reader's answer for a path; a reader that fails does not recognise it."""
    try:
        recognition: Recognition = plugins.readers.create(name).recognises(path)
    except SpacrdError as error:
        return Recognition(recognised=False, reason=f"{error}; {error.hint}" if error.hint else str(error))
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - a third party's reader may raise anything; it must not stop the others
        return Recognition(recognised=False, reason=f"it raised {describe_error(error)}")
    if not isinstance(recognition, Recognition):
        return Recognition(recognised=False, reason=f"it returned {reprlib.repr(recognition)} instead of a Recognition")
    return recognition
