"""``spacrd detect``: apply a detector to sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field

from spacrd_cli.commands.hub import report_origin
from spacrd_cli.options import ConfigFile, DetectorFolder, Device, Exclude, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output, table
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.errors import DetectorError, UnknownSection
from spacrd_core.prior.lists import CARCINOMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.detector import Detector
    from spacrd_core.store.store import SpotStore

RegionsRule = Literal["auto", "always", "never"]
SECTION_COLUMNS = (
    "section",
    "spots",
    "cancer",
    "normal",
    "uncertain",
    "mean probability",
    "beyond training",
    "agreement",
    "genes",
    "image",
    "threshold",
    "copy number",
)


class PriorLists(CommandConfig):
    """The gene lists of the built-in detector."""

    lists: str = Field(CARCINOMA, description="Gene lists of the built-in detector: 'carcinoma', or a TOML file.")


class DetectConfig(CommandConfig):
    """Settings of ``spacrd detect``."""

    device: str = "auto"
    batch_size: int = Field(4096, ge=1)
    threshold: str | float = "own"
    alpha: float = Field(0.1, gt=0, lt=1)
    label_alpha: float = Field(0.3, gt=0, lt=1)
    regions: RegionsRule = "auto"
    prior: PriorLists = Field(default_factory=PriorLists)


def detect(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.")] = None,
    section: Sections = None,
    exclude: Exclude = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Spots scored at a time; limits memory.", show_default="4096")
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Decision threshold: own (the detector's), a probability, gmm, or prevalence=P.",
            show_default="own",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            metavar="A",
            help="Error level of the conformal sets: the share of spots whose set misses the true class.",
            show_default="0.1",
        ),
    ] = None,
    label_alpha: Annotated[
        float | None,
        typer.Option(
            metavar="A", help="Error level of the conformal sets that make a spot uncertain.", show_default="0.3"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            metavar="auto|always|never",
            help="Draw cancer regions: auto leaves out sections whose calls cannot be relied on.",
            show_default="auto",
        ),
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute a calibrated cancer probability for every spot, and write files for other tools."""
    out = Output(json=json, quiet=quiet)
    flags: dict[str, object] = {"device": device, "batch_size": batch_size, "threshold": threshold}
    flags |= {"alpha": alpha, "label_alpha": label_alpha, "regions": regions}
    settings = read_config(DetectConfig, config, set_ or (), flags)
    from spacrd_core import SpotStore, load_detector  # imports torch
    from spacrd_core import detect as detect_in

    target = SpotStore.open(store)
    if output:
        from spacrd_core.results.folder import require_results_folder  # imports the libraries that write files and draw

        require_results_folder(output)
    loaded = load_detector(detector, lists=settings.prior.lists, device=settings.device, track=out.track)
    report_origin(out, loaded.source)
    errors: list[DetectorError] = []
    tables = detect_in(
        target,
        loaded,
        sections=section,
        exclude=exclude,
        threshold=settings.threshold,
        alpha=settings.alpha,
        label_alpha=settings.label_alpha,
        batch_size=settings.batch_size,
        device=settings.device,
        on_error=errors.append,
        track=out.track,
    )
    if errors and not tables:
        raise errors[0]
    if not tables:
        raise UnknownSection(f"--exclude leaves no section of {store}", hint="drop an --exclude")
    for sentence in _warnings(target, tables, loaded.config):
        out.warn(sentence)
    if output:
        _write(out, target, loaded, tables, output, settings.regions)
    out.result(
        {name: _summary(spots) | _decision(spots) | _findings(spots) for name, spots in tables.items()},
        table(SECTION_COLUMNS, [_row(name, spots) for name, spots in tables.items()]),
    )
    if errors:
        raise _combined_error(errors)


def _write(
    out: Output,
    store: SpotStore,
    detector: Detector,
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
    regions: RegionsRule,
) -> None:
    """Write the files of all sections, and say which section lacks one."""
    from spacrd_core import write_results
    from spacrd_core.results.files.xenium_groups import lacks_cell_table, missing_cells_note

    for name in (name for name in tables if lacks_cell_table(store, name)):
        out.warn(f"section '{name}': {missing_cells_note(name)}")
    write_results(store, detector, tables, folder, regions=regions, track=out.track)
    out.info(f"written to {folder}: open {folder / 'report.html'} in a browser")


def _warnings(store: SpotStore, tables: Mapping[str, pd.DataFrame], detector: DetectorConfig) -> Iterator[str]:
    """Yield warnings about the calls of sections, the most serious first."""
    from spacrd_core.results.warnings import cautions, is_out_of_distribution, training_overlap

    for name, spots in tables.items():
        if is_out_of_distribution(spots):
            yield f"section '{name}' is unlike the training tissue: do not rely on its calls"
        for caution in cautions(spots):
            yield f"section '{name}': {caution}"
    for name in tables:
        if overlap := training_overlap(name, store.entry(name).patient, detector):
            yield f"section '{name}': {overlap}"


def _combined_error(errors: Sequence[DetectorError]) -> DetectorError:
    """Return one error for all sections that could not be called."""
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return DetectorError(f"{'; '.join(map(str, errors))}. The other sections were called", hint="; ".join(hints))


def _summary(spots: pd.DataFrame) -> dict[str, object]:
    counts = {label: int((spots["label"] == label).sum()) for label in ("cancer", "normal", "uncertain")}
    return {
        "spots": len(spots),
        **counts,
        "mean_probability": float(spots["probability"].mean()),
        "beyond_training": float((spots["ood"] > 1).mean()) if spots["ood"].notna().any() else None,
        "gene_coverage": float(spots["gene_coverage"].mean()),
        "image_coverage": float(spots["image_coverage"].mean()),
    }


def _decision(spots: pd.DataFrame) -> dict[str, object]:
    """Return the threshold, its rule, and the error levels of the conformal sets."""
    from spacrd_core.model.decision import TABLE_KEY  # imports scikit-learn

    return dict(spots.attrs[TABLE_KEY])


def _findings(spots: pd.DataFrame) -> dict[str, object]:
    """Return the agreement by modality, whether there is epithelium, what copy number says, and the cautions."""
    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.model.findings import Findings  # imports scikit-learn
    from spacrd_core.results.warnings import cautions

    findings = Findings.from_table(spots)
    return {
        "agreement": dict(findings.agreement),
        "epithelium": findings.epithelium,
        "copy_number": CopyNumber.from_table(spots).to_dict(),
        "cautions": cautions(spots),
    }


def _row(section: str, spots: pd.DataFrame) -> list[object]:
    from spacrd_core.copy_number.result import CopyNumber

    summary, agreement = _summary(spots), float(spots["agreement"].iloc[0]) if len(spots) else float("nan")
    coverage = [summary.pop("gene_coverage"), summary.pop("image_coverage")]
    shown = None if agreement != agreement else agreement  # noqa: PLR0124 - NaN: unknown
    verdict = CopyNumber.from_table(spots).verdict
    return [section, *summary.values(), shown, *coverage, _decision(spots)["threshold"], verdict]
