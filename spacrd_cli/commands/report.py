"""``spacrd report``: write the report of a detector's calls that ``detect`` stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.commands.hub import report_origin
from spacrd_cli.options import DetectorFolder, Json, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output
from spacrd_core.errors import UnknownSection

if TYPE_CHECKING:
    from spacrd_core.detector.address import LocalDetector
    from spacrd_core.detector.config import DetectorConfig


def report(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html", help="File for the report.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of a detector's calls; above 12 sections, it is an index and a page for each section."""
    out = Output(json=json, quiet=quiet)
    out.info(f"writing the report of the calls in {store}")
    from spacrd_core.detector.built_in import built_in_detector, is_built_in
    from spacrd_core.detector.config import read_detector_config
    from spacrd_core.detector.locate import locate_detector
    from spacrd_core.detector.metrics import read_metrics
    from spacrd_core.plugins import load_plugins
    from spacrd_core.quoting import command
    from spacrd_core.replacement import read_whole
    from spacrd_core.results.build import decision_of, provenance, section_result
    from spacrd_core.results.report.links import listed_files
    from spacrd_core.results.report.pages import has_pages, page_file, replacing_report, require_report_file
    from spacrd_core.results.report.report import Report
    from spacrd_core.store.store import SpotStore

    target = SpotStore.open(store)
    require_report_file(output)
    if is_built_in(detector):
        built_in = built_in_detector(load_plugins())
        config, reliability, origin = built_in.config, built_in.metrics["reliability"], built_in.provenance
        name_of_detector = built_in.name
    else:

        def read() -> tuple[LocalDetector, DetectorConfig, dict[str, Any]]:
            source = locate_detector(detector, track=out.track)
            config = read_detector_config(source.folder)
            return source, config, read_metrics(source.folder, config)

        source, config, metrics = read_whole(Path(detector), read)
        reliability, origin = metrics.get("reliability") or {}, source.provenance
        name_of_detector = source.name
        report_origin(out, source)
    sections = [entry.id for entry in target.choose(section) if section or config.key in entry.predictions]
    if not sections:
        raise UnknownSection(f"{store} contains no calls of {detector}", hint=command("detect", store, detector))
    records = {name: target.predictions_record(name, config.key) for name in sections}
    decisions = [decision_of(name, target.read_predictions(records[name])[0]) for name in sections]
    origin_of_calls = provenance(config, decisions, origin, name=name_of_detector)
    files = listed_files(output.parent, config.key)
    paged = has_pages(len(sections))
    with replacing_report(output) as staged:
        written = Report(file=staged, provenance=origin_of_calls, reliability=reliability, paged=paged)
        views = []
        for name in out.track(sections, "drawing", len(sections)):
            spots, _ = target.read_predictions(records[name])
            views.append(written.add(section_result(target, name, spots, config), files))
        written.finish(views)
    written_files = [output, *(page_file(output, name) for name in sections if paged)]
    sections_written = {
        name: {"files": [str(page_file(output, name))] if paged else [str(output)]} for name in sections
    }
    document = {
        "report": str(output),
        "sections": sections_written,
        "failures": [],
        "files": [str(file) for file in written_files],
    }
    out.result(document, f"{len(sections)} section{'s' if len(sections) != 1 else ''} in {output}")
