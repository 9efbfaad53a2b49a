"""The same questions after every kill, and after the rerun: each answer that should not be is a fault."""

from collections.abc import Iterator
from pathlib import Path

from faults.commands import Ended
from faults.state import (
    DETECTOR,
    MANIFEST,
    MISSING,
    STORE,
    State,
    below,
    litter,
    mismatches,
    parts,
    state_of,
    stores,
    without_garbage,
)
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

MADE_LATER = {"embeddings", "predictions"}  # of a section that one command ingests, embeds and calls
Entries = dict[str, dict[str, dict[str, object]]]  # by store, section and field


def entries_of(folder: Path) -> Entries:
    """Return what the manifests of the stores in a folder list."""
    return {
        store.path.name: {name: entry.model_dump() for name, entry in store.entries.items()} for store in stores(folder)
    }


def of_a_command(ended: Ended) -> Iterator[str]:
    """Yield the faults of any command, however it ended."""
    if "Traceback" in ended.output or "bug in SpaCRD" in ended.output:
        yield f"a traceback: {ended.output[-2000:]}"
    if ended.outside:
        yield f"wrote elsewhere: {ended.outside[:3]}"
    if ended.left_processes:
        yield f"{ended.left_processes} processes are still there"


def after_a_kill(folder: Path, before: tuple[State, Entries], after: tuple[State, Entries]) -> Iterator[str]:
    """Yield what is neither as it was before the command nor as it is after the whole command."""
    yield from (problem for store in stores(folder) for problem in verify(SpotStore(store.path)))
    yield from _changed_entries(entries_of(folder), before[1], after[1])
    yield from (f"{name} is not the file that the manifest lists" for name in mismatches(folder))
    now, kept = state_of(folder), parts(before[0], STORE) | parts(after[0], STORE)
    for detector in parts(before[0], DETECTOR) | parts(after[0], DETECTOR):
        if below(now, detector) not in (below(before[0], detector), below(after[0], detector)):
            yield f"{detector} is neither the old detector nor the new one"
    unfinished = set(litter(now))
    for path in {*now, *before[0], *after[0]} - unfinished:
        allowed = {state.get(path, MISSING) for state in (before[0], after[0])}
        if path.endswith(f"/{MANIFEST}"):
            allowed.add(MISSING)
        if path.partition("/")[0] not in kept and now.get(path, MISSING) not in allowed:
            yield f"{path} is neither the old nor the new one"


def after_the_rerun(folder: Path, ended: Ended, after: tuple[State, Entries], refusal: str) -> Iterator[str]:
    """Yield what differs from the files of a command that was never killed."""
    if ended.code and not (refusal and ended.code == 1 and refusal in ended.output):
        yield f"the rerun ended with {ended.code}: {ended.output[-2000:]}"
    yield from (f"left: {path}" for path in set(litter(state_of(folder))) - set(litter(after[0])))
    now = without_garbage(folder)
    names = (name for name in {*now, *after[0]} if now.get(name, MISSING) != after[0].get(name, MISSING))
    yield from (f"{name} differs from that of an uninterrupted run" for name in sorted(names)[:5])


def _changed_entries(now: Entries, before: Entries, after: Entries) -> Iterator[str]:
    for store in {*now, *before, *after}:
        was, is_now, will = (each.get(store, {}) for each in (before, now, after))
        for section in {*was, *is_now, *will}:
            if section not in is_now:
                if section in was and section in will:
                    yield f"{store} has lost section {section}"
                continue
            for field, value in is_now[section].items():
                allowed = [each[section][field] for each in (was, will) if section in each]
                if section not in was and field in MADE_LATER:
                    allowed.append({})
                if value not in allowed:
                    yield f"{store}: {field} of section {section} is neither the old nor the new one"
