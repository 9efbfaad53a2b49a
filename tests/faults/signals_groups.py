"""Processes of a group: which are alive, and how long they have computed."""

import os
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def living(group: int) -> dict[int, float]:
    """The processes of a group that have not ended, and the seconds that each has computed."""
    seconds = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (found := _status(folder)) and found[0] == group:
            seconds[int(folder.name)] = found[1]
    return seconds


def is_tracker(process: int) -> bool:
    """Whether a process is the one that Python lets clean up after all others have ended."""
    try:
        return b"resource_tracker" in Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _status(folder: Path) -> tuple[int, float] | None:
    """The group of a process and its seconds; None if it has ended."""
    try:
        words = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, group, ticks = words[0], int(words[2]), int(words[11]) + int(words[12])
    return None if state in "ZX" else (group, ticks / TICKS_PER_S)
