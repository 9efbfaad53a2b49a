"""The calls of many sections, read from the store one at a time: their tables would not fit into memory together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spacrd_core.store.store import SpotStore


class StoredCalls(Mapping[str, pd.DataFrame]):
    """The spot table of each section by a detector; it is read when it is asked for, and not kept."""

    def __init__(self, store: SpotStore, sections: Sequence[str], detector: str) -> None:
        self._store = store
        self._sections = dict.fromkeys(sections)
        self._detector = detector

    def __getitem__(self, section: str) -> pd.DataFrame:
        if section not in self._sections:
            raise KeyError(section)
        return self._store.predictions(section, self._detector)[0]

    def __contains__(self, section: object) -> bool:
        return section in self._sections

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)
