"""``spacrd export``: write the latest calls in the store as files of one format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import InputError, UnknownSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.results.files.formats import Format


def export(
    store: Store,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="h5ad|csv|genes|geojson|png|loupe|xenium|seg|profile|spatialdata",
            help="Format of the files.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the latest calls of each section in one format."""
    from spacrd_core.results.files.formats import find_format

    write_latest_calls(Output(json=json, quiet=quiet), store, find_format(format_), output, section)


def write_latest_calls(out: Output, store: Path, form: Format, output: Path, section: list[str] | None) -> None:
    """Write the latest calls of sections in one format, and say what was written."""
    from spacrd_core.detector.predictions import read_predictions
    from spacrd_core.results.build import decision_of, provenance, section_result
    from spacrd_core.results.folder import require_results_folder
    from spacrd_core.store.store import SpotStore

    target = SpotStore.open(store)
    require_results_folder(output)
    sections = [entry.id for entry in target.choose(section) if section or entry.predictions]
    if not sections:
        raise UnknownSection(f"{store} contains no calls yet", hint=f"spacrd detect {store} DETECTOR")
    written: list[str] = []
    unsupported: list[InputError] = []
    for name in out.track(sections, "writing", len(sections)):
        spots, detector = read_predictions(target, name)
        result = section_result(target, name, spots, detector)
        if reason := form.unsupported_reason(result):
            unsupported.append(reason)
            continue
        written.append(str(form.write_atomically(result, output, provenance(detector, [decision_of(name, spots)]))))
    if unsupported and (section or not written):
        raise _combined_error(unsupported)
    for reason in unsupported:
        out.warn(f"not written: {reason}")
    out.result({"written": written}, *written)


def _combined_error(errors: Sequence[InputError]) -> InputError:
    """Return one error for all sections that the format does not support."""
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return InputError("; ".join(map(str, errors)), hint="; ".join(hints))
