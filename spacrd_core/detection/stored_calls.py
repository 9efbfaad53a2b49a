"""The calls of many sections, read from the store one at a time: their tables would not fit into memory together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.store.manifest import GroupRecord
    from spacrd_core.store.store import SpotStore


class StoredCalls(Mapping[str, pd.DataFrame]):
    """The spot table of each section, as it was stored; it is read when it is asked for, and not kept.

    Another command may replace the calls in the store meanwhile: those that are read are the ones of ``records``.
    """

    def __init__(self, store: SpotStore, records: Mapping[str, GroupRecord]) -> None:
        self._store = store
        self.records = records

    def __getitem__(self, section: str) -> pd.DataFrame:
        return self._store.read_predictions(self.records[section])[0]

    def __contains__(self, section: object) -> bool:
        return section in self.records

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
