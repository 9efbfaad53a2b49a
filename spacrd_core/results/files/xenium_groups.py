"""Cell groups for 10x Xenium Explorer: every cell with the label of its spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.results.files.csv_text import as_texts
from spacrd_core.results.result import LABEL_NAMES, LABEL_STYLES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult
    from spacrd_core.store.store import SpotStore

PLATFORM = "xenium"
CELL_COUNT_COLUMN = "n_cells"  # in the obs of spots that were summed from cells
REINGEST_HINT = "ingest the Xenium bundle again with --name {0} --replace, then run detect again"


def xenium_unsupported(result: SectionResult) -> InputError | None:
    """Return why Xenium Explorer cannot show a section; None if it can."""
    try:
        _spot_of_cell(result)
    except InputError as error:
        return error
    return None


def lacks_cell_table(store: SpotStore, section: str) -> bool:
    """Return whether spots were summed from Xenium cells that the store does not list, as after ingesting an h5ad."""
    entry = store.entry(section)
    return entry.platform == PLATFORM and entry.cells is None and CELL_COUNT_COLUMN in store.spots(section)


def missing_cells_note(section: str) -> str:
    """Return the note for a section without a cell table."""
    hint = REINGEST_HINT.format(section)
    return f"no cell groups for Xenium Explorer: the store does not list the cells of each spot; {hint}"


def write_cell_groups(result: SectionResult, path: Path) -> None:
    """Write cell id, label and colour; cells outside the called spots are omitted.

    Raises
    ------
    InputError
        If the section is not a Xenium section, or the store does not list the cells of its spots.
    """
    spot_of_cell = _spot_of_cell(result)
    labels = result.spots["label"].astype(object).reindex(spot_of_cell.astype(object)).to_numpy()
    table = pd.DataFrame({"cell_id": spot_of_cell.index, "label": labels}).dropna()
    table["cell_id"] = as_texts(table["cell_id"])
    table["group"] = table["label"].map(LABEL_NAMES)
    table["color"] = table["label"].map({label: style.hex_colour for label, style in LABEL_STYLES.items()})
    table[["cell_id", "group", "color"]].to_csv(path, index=False, lineterminator="\n")


def _spot_of_cell(result: SectionResult) -> pd.Series[Any]:
    """Return the spot id of each cell by cell id; where cells are spots, that is the cell id itself."""
    if result.platform != PLATFORM:
        raise InputError(
            f"section '{result.section_id}' has platform '{result.platform}', which Xenium Explorer cannot open",
            hint="choose Xenium sections or another format",
        )
    if result.spot_of_cell is not None:
        return result.spot_of_cell
    if CELL_COUNT_COLUMN in result.adata.obs:
        raise InputError(
            f"the store does not list the cells of each spot of section '{result.section_id}'",
            hint=REINGEST_HINT.format(result.section_id),
        )
    return pd.Series(result.spots.index, index=result.spots.index)
