"""A plugin that claims an existing name, and has heads that cannot be imported."""

from __future__ import annotations

from spacrd_core.cards import HeadCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_heads() -> tuple[HeadCard, ...]:
    return (
        HeadCard("linear", "broken_name:Mine", "Mine"),
        HeadCard("elsewhere", "broken_name.elsewhere:Head", "Missing module", extra="dask"),
        HeadCard("absent", "broken_name:Absent", "Missing class"),
    )
