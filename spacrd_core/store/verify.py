"""Verify the groups of a store against its manifest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.files import tree_sha256
from spacrd_core.progress import Track, silent
from spacrd_core.store.folder import unreadable
from spacrd_core.store.links import link_below, link_on_the_way

if TYPE_CHECKING:
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.manifest import GroupRecord


def verify(store: StoreFolder, *, track: Track = silent) -> list[str]:
    """Return one sentence for every group that is missing, has changed, is or has a link, or may not be read."""
    sections = defaultdict(list)  # parts of a capture area share its slide, which is read once
    for entry in store.entries.values():
        for group in entry.groups:
            sections[group.path, group.sha256].append((entry.id, group))
    findings = []
    for users in track(list(sections.values()), "verifying", len(sections)):
        if problem := _problem(store, users[0][1]):
            findings += [f"section '{section}': {problem}" for section, _ in users]
    return findings


def is_sound(store: StoreFolder, group: GroupRecord) -> bool:
    """Return whether a group exists, matches its checksum, and has no links."""
    return not _problem(store, group)


def without_layout(store: StoreFolder) -> int:
    """Return the number of groups of an earlier version, of which a missing or damaged part can be read unnoticed."""
    return sum(not group.layout for entry in store.entries.values() for group in entry.groups)


def _problem(store: StoreFolder, group: GroupRecord) -> str:
    """Return what is wrong with a group, beginning with its path; '' if nothing is."""
    folder = store.path / group.path
    try:
        if link := link_on_the_way(store.path, folder) or link_below(folder):
            return f"{group.path} is not read, because {link.relative_to(store.path)} is a link"
        return "" if tree_sha256(folder) == group.sha256 else f"{group.path} has changed since it was written"
    except (FileNotFoundError, NotADirectoryError):
        return f"{group.path} is missing"
    except PermissionError as error:
        return str(unreadable(folder, error))
