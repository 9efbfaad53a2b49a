"""``spacrd evaluate``: patient-wise cross-validation, heads side by side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import Field

from spacrd_cli.options import ConfigFile, Device, EncoderOrNone, Json, NoGenes, Overrides, Quiet, Sections, Store
from spacrd_cli.output import Output, as_json, table
from spacrd_cli.settings import EncoderName
from spacrd_cli.train import require_a_modality, train_options
from spacrd_core.config import CommandConfig, ComponentSettings, read_config
from spacrd_core.errors import ConfigError

if TYPE_CHECKING:
    from spacrd_core.cards import HeadCard
    from spacrd_core.learning.summary import Row
    from spacrd_core.plugins import Registry

USUAL_HEADS = ("spacrd", "linear")

PER_SECTION = (
    "head",
    "reads",
    "seed",
    "patient",
    "section",
    "spots",
    "cancer",
    "AUC",
    "AP",
    "F1 prevalence",
    "F1",
    "Brier",
    "ECE",
)
PER_HEAD = ("head", "reads", "patients", "seeds", "AUC", "sd", "AP", "F1 prevalence", "F1", "Brier", "ECE")


class EvaluateConfig(CommandConfig):
    """Settings of ``spacrd evaluate``; a table named after a head holds that head's options."""

    encoder: EncoderName = Field(default_factory=EncoderName)
    heads: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cohort: dict[str, Any] = Field(default_factory=dict)
    no_genes: bool = False
    seeds: int = Field(1, ge=1)
    first_seed: int = 42
    by: Literal["patient", "section"] = "patient"
    device: str = "auto"
    jobs: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)


def evaluate(
    store: Store,
    head: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A head; repeatable.", show_default="spacrd, linear")
    ] = None,
    encoder: EncoderOrNone = None,
    no_genes: NoGenes = None,
    section: Sections = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Repetitions, a seed each.", show_default="1")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="patient|section", help="What to hold out.", show_default="patient")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="Where to keep it.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes.", show_default="one a core")] = None,
    device: Device = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold every patient out in turn, and compare heads and modalities on them."""
    out = Output(json=json, quiet=quiet)
    flags = {"encoder.name": encoder, "no_genes": no_genes, "seeds": seeds, "by": by, "device": device, "jobs": jobs}
    settings = read_config(EvaluateConfig, config, set_ or (), flags)
    require_a_modality(settings.encoder, no_genes=settings.no_genes)
    from spacrd_core import steps  # torch arrives here, not sooner
    from spacrd_core.devices import choose_device
    from spacrd_core.learning.summary import summarise
    from spacrd_core.plugins import load_plugins
    from spacrd_core.store.store import SpotStore

    target, plugins = SpotStore.open(store), load_plugins()
    name = settings.encoder.canonical(plugins.encoders)
    choices = _choices(head or [], settings.heads, plugins.heads)
    if settings.by == "section":
        out.warn(
            "--by section: sections of one patient may stand on both sides of a split, which flatters every figure"
        )
    rows = steps.evaluate(
        target,
        [train_options(choice, settings.cohort, {}, seeds=1, first_seed=settings.first_seed) for choice in choices],
        encoder=name,
        plugins=plugins,
        device=choose_device(settings.device),
        genes=not settings.no_genes,
        sections=section or (),
        seeds=range(settings.first_seed, settings.first_seed + settings.seeds),
        by=settings.by,
        jobs=settings.jobs,
        track=out.track,
    )
    document = steps.facts(rows, summarise(rows), _protocol(settings, choices, name))
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(as_json(document) + "\n", encoding="utf-8")
        out.say(f"written to {output}")
    _show(out, rows, document)


def _choices(named: list[str], tables: dict[str, dict[str, Any]], heads: Registry[HeadCard]) -> list[ComponentSettings]:
    """Return the heads to compare with their options: those named, else those that have a table, else the usual two."""
    mistaken = [f"heads.{name}.name: is no setting" for name, table in tables.items() if "name" in table]
    if mistaken:
        raise ConfigError(
            "; ".join(mistaken), hint="a table under 'heads' bears its head's name, and --head NAME chooses"
        )
    options = {heads.canonical(name): table for name, table in tables.items()}
    chosen = dict.fromkeys(heads.canonical(name) for name in named or [*tables] or USUAL_HEADS)
    return [ComponentSettings(name=name, **options.get(name, {})) for name in chosen]


def _protocol(settings: EvaluateConfig, heads: list[ComponentSettings], encoder: str) -> dict[str, object]:
    return {
        "held_out": settings.by,
        "heads": [head.name for head in heads],
        "encoder": encoder or "none",
        "genes": not settings.no_genes,
        "seeds": [settings.first_seed + number for number in range(settings.seeds)],
        "cohort": settings.cohort,
        "head_options": {head.name: head.options for head in heads if head.options},
        "label_rule": "undetermined spots are left out",
        "f1_prevalence": "threshold at the test section's true prevalence: uses the test labels (the published rule)",
        "f1": "threshold chosen on held-out patients inside the training set",
        "mean": "over sections and seeds within a patient, then over patients; sd is between patients",
    }


def _show(out: Output, rows: list[Row], document: dict[str, Any]) -> None:
    figures = ("auc", "ap", "f1_prevalence", "f1", "brier", "ece")
    sections = [
        [r.head, r.modalities, r.seed, r.patient, r.section, r.spots, r.positives, *(getattr(r, f) for f in figures)]
        for r in rows
    ]
    heads = [
        [s["head"], s["modalities"], s["patients"], s["seeds"], s["auc_mean"], s["auc_sd"]]
        + [s[f"{figure}_mean"] for figure in figures[1:]]
        for s in document["summary"]
    ]
    out.result(
        document,
        table(PER_SECTION, sections, title="Sections, each tested by models that never saw its patient"),
        table(PER_HEAD, heads, title="Means over patients"),
    )
