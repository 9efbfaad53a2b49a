"""A plugin that claims a name that exists, and has a head of its own that cannot be imported."""

from __future__ import annotations

from spacrd_core.cards import HeadCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_heads() -> tuple[HeadCard, ...]:
    return (
        HeadCard("linear", "broken_name:Mine", "Mine"),
        HeadCard("elsewhere", "broken_name.elsewhere:Head", "Not there", extra="dask"),
        HeadCard("absent", "broken_name:Absent", "Not there either"),
    )
