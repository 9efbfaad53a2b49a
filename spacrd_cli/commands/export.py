"""``spacrd export``: the latest calls in the store, as files of one format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import InputError, UnknownSection

if TYPE_CHECKING:
    from collections.abc import Sequence


def export(
    store: Store,
    format_: Annotated[
        str,
        typer.Option("--format", metavar="h5ad|csv|genes|geojson|png|loupe|xenium|spatialdata", help="What to write."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to write it.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the latest calls of every section in one format."""
    from spacrd_core.results.build import how_called, provenance, section_result
    from spacrd_core.results.files.formats import find_format
    from spacrd_core.results.write import require_results_folder
    from spacrd_core.store.store import SpotStore

    out, form = Output(json=json, quiet=quiet), find_format(format_)
    target = SpotStore.open(store)
    require_results_folder(output)
    chosen = [entry.id for entry in target.choose(section) if section or entry.predictions]
    if not chosen:
        raise UnknownSection(f"{store} holds no calls yet", hint=f"spacrd detect {store} DETECTOR")
    written: list[str] = []
    refusals: list[InputError] = []
    for name in out.track(chosen, "exporting", len(chosen)):
        spots, detector = target.predictions(name)
        result = section_result(target, name, spots, detector)
        if refusal := form.refusal(result):
            refusals.append(refusal)
            continue
        written.append(str(form.put(result, output, provenance(detector, [how_called(spots, detector)]))))
    if refusals and (section or not written):
        raise _not_written(refusals)
    for refusal in refusals:
        out.warn(f"not written: {refusal}")
    out.result({"written": written}, *written)


def _not_written(refusals: Sequence[InputError]) -> InputError:
    """One error of all sections that give no such file, after the others were written."""
    remedies = dict.fromkeys(refusal.hint for refusal in refusals if refusal.hint)
    return InputError("; ".join(map(str, refusals)), hint="; ".join(remedies))
