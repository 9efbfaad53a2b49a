"""``spacrd doctor``: whether this machine can do the work."""

from __future__ import annotations


def doctor() -> None:
    """Say what this machine has, and what is missing."""
