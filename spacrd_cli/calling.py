"""Calling sections: what ``detect`` and ``call`` share."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from spacrd_cli.execution import ExecutorSettings
from spacrd_cli.terminal.calls import calls_document
from spacrd_cli.terminal.errors import error_documents
from spacrd_cli.terminal.messages import report
from spacrd_core.config import CommandConfig
from spacrd_core.detection.bands import Bands
from spacrd_core.detection.regions_rule import RegionsRule
from spacrd_core.prior.lists import CARCINOMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from spacrd_cli.terminal.output import Output
    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.decision import DecisionRule
    from spacrd_core.store.store import SpotStore


class PriorLists(CommandConfig):
    """The gene lists of the built-in detector."""

    lists: str = Field(CARCINOMA, description="Gene lists of the built-in detector: 'carcinoma', or a TOML file.")


class CallSettings(ExecutorSettings):
    """Settings of every command that calls sections."""

    device: str = "auto"
    batch_size: int = Field(4096, ge=1)
    threshold: str | float = "own"
    alpha: float = Field(0.1, gt=0, lt=1)
    label_alpha: float = Field(0.3, gt=0, lt=1)
    regions: RegionsRule = "auto"
    bands: Bands = Field(default_factory=Bands)
    prior: PriorLists = Field(default_factory=PriorLists)

    def decision_rule(self) -> DecisionRule:
        """Return the rule by which spots are called."""
        from spacrd_core.model.decision import DecisionRule  # imports scikit-learn

        return DecisionRule.parse(self.threshold, alpha=self.alpha, label_alpha=self.label_alpha)


@dataclass(frozen=True)
class Called:
    """What ``--json`` says about every called section, the errors of the others, and the files that were written."""

    sections: dict[str, dict[str, object]]
    errors: dict[str, Exception]
    files: list[Path]

    def document(self, detector: Detector, name: str, output: Path | None) -> dict[str, Any]:
        """Return what ``--json`` says; ``name`` is the detector as it was given."""
        where = output or Path()
        return {
            "sections": {
                section: {**facts, "files": [_relative(file, where) for file in _files_of(section, where, self.files)]}
                for section, facts in self.sections.items()
            },
            "failures": [
                {"section": section, **document}
                for section, error in self.errors.items()
                for document in error_documents(error)
            ],
            "detector": {"name": name, "key": detector.config.key, "head": detector.config.head},
            "versions": {package: version(package) for package in ("spacrd", "torch")},
            "output": str(output) if output else None,
            "files": [_relative(file, where) for file in self.files],
        }


def call_sections(
    out: Output,
    store: SpotStore,
    detector: Detector,
    settings: CallSettings,
    output: Path | None,
    *,
    sections: Sequence[str],
) -> Called:
    """Call sections, report what to be careful about, and write the files if there is a folder for them."""
    from spacrd_core import detect as detect_in
    from spacrd_core.results.section_warnings import section_warnings

    errors: dict[str, Exception] = {}
    tables = detect_in(
        store,
        detector,
        sections=sections,
        threshold=settings.threshold,
        alpha=settings.alpha,
        label_alpha=settings.label_alpha,
        bands=settings.bands,
        regions=settings.regions,
        batch_size=settings.batch_size,
        device=settings.device,
        on_error=lambda name, error: errors.update({name: error}),
        executor=settings.make_executor(),
        in_memory=False,
        track=out.track,
    )
    documents, warnings = {}, []
    for name, spots in tables.items():
        cautions = section_warnings(store, name, spots, detector.config)
        documents[name] = calls_document(store.entry(name), spots, cautions)
        warnings += [(name, caution) for caution in cautions]
    report(out, (), warnings)
    files = _write(out, store, detector, settings, tables, output) if output and tables else []
    return Called(documents, errors, files)


def _write(
    out: Output,
    store: SpotStore,
    detector: Detector,
    settings: CallSettings,
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
) -> list[Path]:
    """Write the files of all sections; return their paths."""
    from spacrd_core import write_results

    files = write_results(store, detector, tables, folder, executor=settings.make_executor(), track=out.track)
    out.info(f"written to {folder}: open {folder / 'report.html'} in a browser")
    return files


def _relative(file: Path, folder: Path) -> str:
    """Return the name of a file in the folder of the results: a page of the report is in a folder of that."""
    return file.relative_to(folder).as_posix()


def _files_of(section: str, folder: Path, files: Sequence[Path]) -> list[Path]:
    """Return the files of a section alone; the id of another may begin with its id and a dot."""
    if not files:
        return []
    from spacrd_core.results.files.formats import DEFAULT_FORMATS
    from spacrd_core.results.report.pages import page_file

    own = {*(form.path(folder, section) for form in DEFAULT_FORMATS), page_file(folder / "report.html", section)}
    return [file for file in files if file in own]
