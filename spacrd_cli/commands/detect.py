"""``spacrd detect``: a detector on sections it may never have seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from spacrd_cli.commands.hub import say_origin
from spacrd_cli.options import ConfigFile, DetectorFolder, Device, Exclude, Json, Overrides, Quiet, Sections, Store
from spacrd_cli.terminal.output import Output, table
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.errors import DetectorError, UnknownSection
from spacrd_core.model.decision import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.store.store import SpotStore

COLUMNS = (
    "section",
    "spots",
    "cancer",
    "normal",
    "uncertain",
    "mean probability",
    "beyond training",
    "genes",
    "image",
    "threshold",
)


class DetectConfig(CommandConfig):
    """Settings of ``spacrd detect``."""

    device: str = "auto"
    batch_size: int = Field(4096, ge=1)
    threshold: str | float = "own"
    alpha: float = Field(0.1, gt=0, lt=1)
    label_alpha: float = Field(0.3, gt=0, lt=1)


def detect(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where to write the files.")
    ] = None,
    section: Sections = None,
    exclude: Exclude = None,
    device: Device = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Spots scored at a time: bounds memory.", show_default="4096")
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="From where on a spot is cancer: own, a number, gmm, or prevalence=P.",
            show_default="own",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(metavar="A", help="Sets hold the true class in all but this share of spots.", show_default="0.1"),
    ] = None,
    label_alpha: Annotated[
        float | None,
        typer.Option(metavar="A", help="The same, of sets that make a spot uncertain.", show_default="0.3"),
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give every spot a calibrated probability of cancer, and write what other tools open."""
    out = Output(json=json, quiet=quiet)
    flags: dict[str, object] = {"device": device, "batch_size": batch_size, "threshold": threshold}
    flags |= {"alpha": alpha, "label_alpha": label_alpha}
    settings = read_config(DetectConfig, config, set_ or (), flags)
    from spacrd_core import Calling, SpotStore, ThresholdRule, load_detector, write_results  # torch arrives here
    from spacrd_core import detect as detect_in
    from spacrd_core.results.files.xenium_groups import cells_forgotten, no_cell_groups
    from spacrd_core.results.write import require_results_folder

    calling = Calling(ThresholdRule.parse(str(settings.threshold)), settings.alpha, settings.label_alpha)
    target = SpotStore.open(store)
    if output:
        require_results_folder(output)
    loaded = load_detector(detector, device=settings.device, track=out.track)
    say_origin(out, loaded.found)
    refusals: list[DetectorError] = []
    tables = detect_in(
        target,
        loaded,
        sections=section,
        exclude=exclude,
        calling=calling,
        batch_size=settings.batch_size,
        device=settings.device,
        refused=refusals.append,
        track=out.track,
    )
    if refusals and not tables:
        raise refusals[0]
    if not tables:
        raise UnknownSection(f"no section of {store} is left to detect in", hint="drop an --exclude")
    for sentence in _cautions(target, tables, loaded.config):
        out.warn(sentence)
    if output:
        for name in (name for name in tables if cells_forgotten(target, name)):
            out.warn(f"section '{name}' gets {no_cell_groups(name)}")
        write_results(target, loaded, tables, output, track=out.track)
        out.say(f"written to {output}: open {output / 'report.html'} in a browser")
    out.result(
        {name: _facts(spots) | _how(spots) for name, spots in tables.items()},
        table(COLUMNS, [_row(name, spots) for name, spots in tables.items()]),
    )
    if refusals:
        raise _not_called(refusals)


def _cautions(store: SpotStore, tables: Mapping[str, pd.DataFrame], detector: DetectorConfig) -> Iterator[str]:
    """Yield what to know of some sections' calls before relying on them, the gravest first."""
    from spacrd_core.results.warnings import seen_in_training, wholly_strange

    for name in (name for name, spots in tables.items() if wholly_strange(spots)):
        yield f"section '{name}' is unlike the tissue the detector was trained on: do not rely on its calls"
    for name in tables:
        if known := seen_in_training(name, store.entry(name).patient, detector):
            yield f"section '{name}': {known}"


def _not_called(refusals: Sequence[DetectorError]) -> DetectorError:
    """One error of all sections that could not be called, after the others were."""
    why = "; ".join(str(refusal) for refusal in refusals)
    remedies = dict.fromkeys(refusal.hint for refusal in refusals if refusal.hint)
    return DetectorError(f"{why}. The other sections are called", hint="; ".join(remedies))


def _facts(spots: pd.DataFrame) -> dict[str, object]:
    counts = {label: int((spots["label"] == label).sum()) for label in ("cancer", "normal", "uncertain")}
    return {
        "spots": len(spots),
        **counts,
        "mean_probability": float(spots["probability"].mean()),
        "beyond_training": float((spots["ood"] > 1).mean()),
        "gene_coverage": float(spots["gene_coverage"].mean()),
        "image_coverage": float(spots["image_coverage"].mean()),
    }


def _how(spots: pd.DataFrame) -> dict[str, object]:
    """The threshold, where it comes from, and the levels of sets."""
    return dict(spots.attrs[KEY])


def _row(section: str, spots: pd.DataFrame) -> list[object]:
    return [section, *_facts(spots).values(), spots.attrs[KEY]["threshold"]]
