"""Cell groups for 10x Xenium Explorer: what the spot of each cell was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.results.result import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult
    from spacrd_core.store.store import SpotStore

PLATFORM = "xenium"
SUMMED = "n_cells"  # what a spot has that was summed from cells
AGAIN = "ingest its Xenium bundle again with --name {0} --replace, then detect again"


def no_explorer(result: SectionResult) -> InputError | None:
    """Return why Xenium Explorer cannot show a section, if it cannot."""
    try:
        _spot_of_cell(result)
    except InputError as refusal:
        return refusal
    return None


def cells_forgotten(store: SpotStore, section: str) -> bool:
    """Tell whether spots were summed from Xenium's cells and the store, written by an older SpaCRD, kept none."""
    entry = store.entry(section)
    return entry.platform == PLATFORM and entry.cells is None and SUMMED in store.spots(section)


def no_cell_groups(section: str) -> str:
    """Return the sentence for a section whose cells were forgotten."""
    again = AGAIN.format(section)
    return f"no cell groups for Xenium Explorer: the store does not know which cells the spots hold; {again}"


def write_cell_groups(result: SectionResult, path: Path) -> None:
    """Write cell, call and the call's colour; cells in no called spot are left out, for they belong to no group.

    Raises
    ------
    InputError
        If the section is not Xenium's, or the spot of its cells is not known.
    """
    spot_of_cell = _spot_of_cell(result)
    labels = result.spots["label"].astype(object).reindex(spot_of_cell.astype(object)).to_numpy()
    table = pd.DataFrame({"cell_id": spot_of_cell.index, "label": labels}).dropna()
    table["group"] = table["label"].map({label: kind.name for label, kind in CLASSES.items()})
    table["color"] = table["label"].map(
        {label: "#{:02x}{:02x}{:02x}".format(*kind.colour) for label, kind in CLASSES.items()}
    )
    table[["cell_id", "group", "color"]].to_csv(path, index=False, lineterminator="\n")


def _spot_of_cell(result: SectionResult) -> pd.Series[Any]:
    """Return the spot of each cell by its id; a cell that is a spot is its own."""
    if result.platform != PLATFORM:
        raise InputError(
            f"section '{result.section_id}' is {result.platform}, which Xenium Explorer does not open",
            hint="name Xenium sections, or choose another format",
        )
    if result.spot_of_cell is not None:
        return result.spot_of_cell
    if SUMMED in result.adata.obs:
        raise InputError(
            f"the store does not know which cells the spots of section '{result.section_id}' hold",
            hint=AGAIN.format(result.section_id),
        )
    return pd.Series(result.spots.index, index=result.spots.index)
