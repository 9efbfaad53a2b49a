"""``spacrd report``: write the report of a detector's calls that ``detect`` stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.commands.hub import report_origin
from spacrd_cli.options import DetectorFolder, Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import InputError, UnknownSection


def report(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html", help="File for the report.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write one self-contained report of a detector's calls."""
    from spacrd_core.detector.built_in import built_in_detector, is_built_in
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.files import read_metrics
    from spacrd_core.detector.locate import locate_detector
    from spacrd_core.plugins import load_plugins
    from spacrd_core.results.build import decision_of, provenance, section_result
    from spacrd_core.results.report.report import write_report
    from spacrd_core.results.report.section_view import build_section_view
    from spacrd_core.store.store import SpotStore

    out = Output(json=json, quiet=quiet)
    target = SpotStore.open(store)
    _require_report_file(output)
    if is_built_in(detector):
        built_in = built_in_detector(load_plugins())
        config, reliability, origin = built_in.config, built_in.metrics["reliability"], built_in.provenance
    else:
        source = locate_detector(detector, track=out.track)
        config, reliability = read_detector_config(source.folder), read_metrics(source.folder).get("reliability") or {}
        origin = source.provenance
        report_origin(out, source)
    sections = [entry.id for entry in target.choose(section) if section or config.key in entry.predictions]
    if not sections:
        raise UnknownSection(f"{store} contains no calls of {detector}", hint=f"spacrd detect {store} {detector}")
    views, decisions = [], []
    for name in out.track(sections, "drawing", len(sections)):
        spots, _ = target.predictions(name, config.key)
        views.append(build_section_view(section_result(target, name, spots, config)))
        decisions.append(decision_of(name, spots))
    write_report(output, views, provenance(config, decisions, origin), reliability=reliability)
    out.result({"report": str(output), "sections": sections}, f"{len(sections)} sections in {output}")


def _require_report_file(file: Path) -> None:
    """Create the parent folders of a report; raise an error if it or its parent cannot be written."""
    if file.is_dir():
        raise InputError(f"the report must be a file, but {file} is a folder", hint=f"-o {file / 'report.html'}")
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(f"the report must be in a folder, but {file.parent} is a file", hint="name another folder")
    file.parent.mkdir(parents=True, exist_ok=True)
