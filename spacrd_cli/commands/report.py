"""``spacrd report``: the report of a detector's calls, from what ``detect`` left in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.commands.hub import say_origin
from spacrd_cli.options import DetectorFolder, Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import InputError, UnknownSection


def report(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html", help="The report to write.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write one self-contained report of a detector's calls."""
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.files import read_metrics
    from spacrd_core.detector.locate import find_detector
    from spacrd_core.results.build import how_called, provenance, section_result
    from spacrd_core.results.report.report import write_report
    from spacrd_core.results.report.section_view import view_section
    from spacrd_core.store.store import SpotStore

    out = Output(json=json, quiet=quiet)
    target = SpotStore.open(store)
    _require_room(output)
    found = find_detector(detector, track=out.track)
    config = read_detector_config(found.folder)
    say_origin(out, found)
    chosen = [e.id for e in target.choose(section) if section or config.key in e.predictions]
    if not chosen:
        raise UnknownSection(f"{store} holds no calls of {detector}", hint=f"spacrd detect {store} {detector}")
    views, called = [], []
    for name in out.track(chosen, "drawing", len(chosen)):
        spots, _ = target.predictions(name, config.key)
        views.append(view_section(section_result(target, name, spots, config)))
        called.append(how_called(spots, config))
    reliability = read_metrics(found.folder).get("reliability") or {}
    write_report(output, views, provenance(config, called, found.facts), reliability=reliability)
    out.result({"report": str(output), "sections": chosen}, f"{len(chosen)} sections in {output}")


def _require_room(file: Path) -> None:
    """Refuse a folder, and a file in what is none; make the folders above."""
    if file.is_dir():
        raise InputError(f"a report is one file, but {file} is a folder", hint=f"-o {file / 'report.html'}")
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(f"{file.parent} is a file, so no report can go into it", hint="name another folder")
    file.parent.mkdir(parents=True, exist_ok=True)
