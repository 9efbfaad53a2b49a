"""Whatever a plugin raises is a problem of that plugin: ``sys.exit``, or an error whose text fails, too."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.errors import PluginError, SpacrdError

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "spacrd"
DISTRIBUTION = "spacrd"  # SpaCRD's own components
MAX_TEXT = 200  # letters of an error that are shown
PASSED_ON = (KeyboardInterrupt, GeneratorExit)


def is_explained(error: BaseException) -> bool:
    """Return whether an error, or every error of a group, is one of ours."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_explained, error.exceptions))
    return isinstance(error, SpacrdError)


def describe_error(error: BaseException) -> str:
    """Return the type and the text of an error; the text may be missing, endless, or fail itself."""
    try:
        text = " ".join(str(error).split())
    except PASSED_ON:
        raise
    except BaseException:  # noqa: BLE001 - a third party's __str__ may raise anything
        text = "its text cannot be shown"
    shown = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


@contextmanager
def unmoved() -> Iterator[None]:
    """Run a third party's code; afterwards the working folder, by which a command finds its files, is what it was."""
    before = _working_folder()
    try:
        yield
    finally:
        if before and _working_folder() != before:
            os.chdir(before)


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was removed
        return ""


@contextmanager
def blamed(component: str, plugin: str, *, name: str = "") -> Iterator[None]:
    """Turn what a plugin's component raises into a :class:`PluginError` that names both; ours pass as they are.

    ``plugin`` is '' for a component of SpaCRD, whose errors pass, too.
    """
    try:
        with unmoved():
            yield
    except PASSED_ON:
        raise
    except BaseException as error:
        if not plugin or is_explained(error):
            raise
        raise failure(component, plugin, error, name=name) from error


def failure(component: str, plugin: str, error: BaseException, *, name: str = "") -> PluginError:
    """Return the error of a component that raised another."""
    check = f"spacrd plugins check {name}; " if name else ""
    return PluginError(
        f"{component} of the plugin {plugin} failed: {describe_error(error)}", hint=f"{check}tell its author"
    )


def failure_in_plugin(error: BaseException) -> PluginError | None:
    """Return the error of the plugin whose code raised an error, for one that nobody caught; None if no plugin did."""
    if is_explained(error):
        return None
    points, _ = installed_points()
    plugins = {re.split(r"[.:]", point.value)[0].strip(): point for point in points}
    trace = error.__traceback__
    while trace:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if (point := plugins.get(package)) and distribution_of(point) != DISTRIBUTION:
            return failure("a component", version_of(point), error)
        trace = trace.tb_next
    return None


def installed_points() -> tuple[list[EntryPoint], dict[str, BaseException]]:
    """Return the entry points of all plugins, and what is wrong with distributions that cannot be asked for theirs."""
    with suppress(Exception):
        return list(entry_points(group=GROUP)), {}
    points: list[EntryPoint] = []
    errors: dict[str, BaseException] = {}
    for distribution in distributions():
        try:
            points += distribution.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001 - of a file that pip did not write: TypeError, UnicodeDecodeError, ...
            errors[str(distribution.name or "?")] = error
    return list({(distribution_of(point), point.name): point for point in reversed(points)}.values()), errors


def distribution_of(point: EntryPoint) -> str:
    """Return the name of the distribution of an entry point; '?' if its metadata lack it."""
    return str(point.dist.name or "?") if point.dist else "?"


def version_of(point: EntryPoint) -> str:
    """Return the name and the version of the distribution of an entry point."""
    return f"{distribution_of(point)} {point.dist.version or ''}".strip() if point.dist else "?"
