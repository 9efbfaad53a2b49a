"""``spacrd export``: write the calls of a detector in the store as files of one format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.execution import ExecutorSettings, PartSettings
from spacrd_cli.options import (
    CallsOf,
    DryRun,
    Executor,
    Json,
    PartOfSections,
    Quiet,
    Scheduler,
    Sections,
    Store,
    Workers,
)
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.errors import failures, raise_failures
from spacrd_cli.terminal.output import Output
from spacrd_core.config import read_config
from spacrd_core.errors import InputError
from spacrd_core.quoting import MAX_MISTAKE, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.results.files.formats import Format


class ExportSettings(PartSettings, ExecutorSettings):
    """Settings of ``spacrd export``."""


def export(
    store: Store,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="h5ad|csv|genes|geojson|png|loupe|xenium|seg|probability|profile|spatialdata",
            help="Format of the files.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.")],
    detector: CallsOf = None,
    section: Sections = None,
    executor: Executor = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    part: PartOfSections = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a detector's calls of each section in one format."""
    flags = {"executor": executor, "workers": workers, "scheduler": scheduler, "part": part}
    settings = read_config(ExportSettings, flags=flags)
    out = Output(json=json, quiet=quiet)
    out.info(f"exporting the calls in {store} as {format_}")
    settings.start_workers("spacrd_core.results.section_task")
    from spacrd_core.results.files.formats import find_format

    form = find_format(format_)
    write_calls(out, store, form, output, detector=detector, section=section, settings=settings, dry_run=dry_run)


def write_calls(
    out: Output,
    store: Path,
    form: Format,
    output: Path,
    *,
    detector: str | None,
    section: list[str] | None,
    settings: ExportSettings,
    dry_run: bool = False,
) -> None:
    """Write a detector's latest calls of sections in one format, and say what was written."""
    from spacrd_core.results.choose_calls import choose_calls
    from spacrd_core.results.export import export_calls, other_exports, prepare_export
    from spacrd_core.store.store import SpotStore

    target = SpotStore.open(store)
    key, called = choose_calls(target, detector, section, track=out.track)
    sections = settings.chosen_part.select(called)
    if dry_run:
        from spacrd_core.dry_run.export import plan_export

        plan, unsupported = plan_export(target, sections, form, output, detector=key)
        _require_supported(out, unsupported, named=bool(section), others=bool(plan.items))
        show_plan(out, plan)
        return
    prepare_export(output, target, sections, form, detector=key)
    files, unsupported, errors = export_calls(
        target, sections, form, output, detector=key, executor=settings.make_executor(), track=out.track
    )
    written = list(map(str, files))
    _require_supported(out, unsupported, named=bool(section), others=bool(written or errors))
    out.result({"written": written, "failures": failures(errors)}, *written)
    if others := other_exports(output, files, target):
        out.warn(f"{output} also has files of earlier exports, perhaps of another detector: {others}")
    if not sections:
        out.info("this part contains no section")
    raise_failures(errors, done=len(sections) - len(errors))


def _require_supported(out: Output, unsupported: Sequence[InputError], *, named: bool, others: bool) -> None:
    """Refuse a format that named sections, or all, do not support; say so of others."""
    if unsupported and (named or not others):
        raise _combined_error(unsupported)
    for reason in unsupported:
        out.warn(f"not written: {reason}")


def _combined_error(errors: Sequence[InputError]) -> InputError:
    """Return one error for all sections that the format does not support."""
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return InputError(listed(errors, separator="; ", length=MAX_MISTAKE), hint="; ".join(hints))
