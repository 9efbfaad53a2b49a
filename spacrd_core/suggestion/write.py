"""Write the suggested spots of sections: for QuPath, as a table, and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.detector.predictions import read_predictions
from spacrd_core.labels.own_export import SUGGESTION
from spacrd_core.outputs import require_room
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import decision_of, provenance, section_result
from spacrd_core.results.files.csv_text import as_texts
from spacrd_core.results.files.formats import Format, begins_with
from spacrd_core.results.files.geojson import GEOJSON_START
from spacrd_core.results.ownership import require_own, require_results_folder
from spacrd_core.suggestion.geojson import write_suggested_geojson
from spacrd_core.suggestion.picture import ALT_TEXT, write_suggested_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from spacrd_core.results.result import SectionResult
    from spacrd_core.store.store import SpotStore

CSV_COLUMNS = (
    *("rank", "x_um", "y_um", "x_px", "y_px"),
    *("probability", "label", "uncertainty", "disagreement", "ood", "reason"),
)
DECIMALS = dict.fromkeys(("x_um", "y_um", "x_px", "y_px"), 3) | dict.fromkeys(
    ("probability", "uncertainty", "disagreement", "ood"), 6
)


def require_suggestions_folder(folder: Path, sections: Iterable[str]) -> None:
    """Require that the files of sections can be written to a folder: before the work, not after it.

    Raises
    ------
    InputError, OutputError
        If it is a store, a detector or a file, has files of others by these names, or cannot be written.
    """
    require_results_folder(folder)
    require_own(folder, sections, _formats({}))
    require_room(folder)


def write_suggestions(
    store: SpotStore, detector: str, suggested: Mapping[str, pd.DataFrame], folder: Path, *, track: Track = silent
) -> dict[str, list[Path]]:
    """Write the suggested spots of sections into a folder, and return the paths by section; none for an empty table.

    ``detector`` is the key of the detector whose calls they are.
    """
    formats = _formats(suggested)
    written: dict[str, list[Path]] = {}
    for section in track([name for name, table in suggested.items() if len(table)], "writing"):
        spots, config = read_predictions(store, section, detector)
        result = section_result(store, section, spots, config)
        origin = provenance(config, [decision_of(section, spots)])
        written[section] = [form.write_atomically(result, folder, origin) for form in formats]
    return written


def write_suggested_csv(suggested: pd.DataFrame, path: Path) -> None:
    """Write one row per suggested spot, the best first."""
    table = suggested[list(CSV_COLUMNS)].round(DECIMALS)
    table.index = as_texts(table.index)
    table.to_csv(path, index_label="spot_id", lineterminator="\n")


def _formats(suggested: Mapping[str, pd.DataFrame]) -> list[Format]:
    """Return the formats of the files of a section, which write what is suggested of it."""

    def geojson(result: SectionResult, path: Path, _: object) -> None:
        write_suggested_geojson(result, suggested[result.section_id], path)

    def table(result: SectionResult, path: Path, _: object) -> None:
        write_suggested_csv(suggested[result.section_id], path)

    def picture(result: SectionResult, path: Path, _: object) -> None:
        write_suggested_picture(result, suggested[result.section_id], path)

    return [
        Format("geojson", "suggested.geojson", geojson, begins_with(GEOJSON_START, f'"{SUGGESTION}"'.encode())),
        Format("csv", "suggested.csv", table, begins_with(b"spot_id,rank,x_um")),
        Format("png", "suggested.png", picture, begins_with(ALT_TEXT.encode())),
    ]
