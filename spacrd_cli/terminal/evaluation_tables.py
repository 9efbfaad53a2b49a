"""What ``spacrd evaluate`` prints: a line a head and choice of modalities; sections, patients, means, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from spacrd_cli.terminal.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from spacrd_core.evaluation.summary import Row

FIGURES = {"auc": "AUC", "ap": "AP", "f1_prevalence": "F1*", "f1": "F1", "brier": "Brier", "ece": "ECE"}
ORACLE_F1 = "F1* is at the section's true share of cancer: that uses the test labels."
ORACLE = "Which one is better is known by the patient's labels: a choice made beforehand is at best as good."
GAP = 2
SIGNED = "+z.3f"  # never -0.000


def evaluation(rows: Sequence[Row], document: Mapping[str, Any]) -> list[RenderableType]:
    """Return everything of an evaluation, details first, so that what it comes to stands last."""
    summary, differences = document["summary"], document["differences"]
    parts: list[RenderableType] = [_sections(rows, line) for line in summary]
    parts.append(Columns("AUC by patient", summary, "auc_by_patient"))
    if max(line["seeds"] for line in summary) > 1:
        parts.append(Columns("AUC by seed", summary, "auc_by_seed"))
    parts.append(_means(summary, document["protocol"]))
    if any("+" in line["modalities"] and line["shares"] for line in summary):
        parts.append(_shares(summary))
    fused = [line for line in differences if line["head"] == line["against_head"]]
    control = [line for line in differences if line["head"] != line["against_head"]]
    if control:
        parts.append(_differences(f"AUC less that of {control[0]['against_head']} on the same patients", control))
    if fused:
        parts.append(_differences("AUC of both less that of the better modality, by patient", fused, ORACLE))
    return parts


class Columns:
    """A column for every patient or seed; cut into several tables where the screen is too narrow for one."""

    def __init__(self, title: str, summary: Sequence[Mapping[str, Any]], key: str) -> None:
        self._title, self._summary, self._key = title, summary, key

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        names = list(dict.fromkeys(name for line in self._summary for name in line[self._key]))
        left = sum(max(len(line[part]) for line in self._summary) + GAP for part in ("head", "modalities"))
        width = max(len("0.000"), *(len(str(name)) for name in names), 0) + GAP
        fitting = max(1, (options.max_width - min(left, options.max_width // 2)) // width - 1)  # one for the mean
        for start in range(0, max(len(names), 1), fitting):
            some = names[start : start + fitting]
            rows = [
                [line["head"], line["modalities"], *map(_figure, (*map(line[self._key].get, some), line["auc_mean"]))]
                for line in self._summary
            ]
            title = self._title if len(some) == len(names) else f"{self._title} ({start + 1} to {start + len(some)})"
            yield _table(title, ("head", "reads"), (*map(str, some), "mean"), rows)


def _sections(rows: Sequence[Row], line: Mapping[str, Any]) -> Table:
    """The sections under one head and choice of modalities, every figure a mean over seeds."""
    mine = [row for row in rows if (row.head, row.modalities) == (line["head"], line["modalities"])]
    sections = {row.section: [other for other in mine if other.section == row.section] for row in mine}
    notes = any(row.note for row in mine)
    cells = [
        [same[0].patient, name, *([same[0].note] if notes else []), f"{same[0].spots}", f"{same[0].positives}"]
        + [_figure(_mean([getattr(row, figure) for row in same])) for figure in FIGURES]
        for name, same in sections.items()
    ]
    left = ("patient", "section", "note") if notes else ("patient", "section")
    seeds = f", mean of {line['seeds']} seeds" if line["seeds"] > 1 else ""
    title = f"{line['head']} reads {line['modalities']}: sections{seeds}"
    return _table(title, left, ("spots", "cancer", *FIGURES.values()), cells)


def _shares(summary: Sequence[Mapping[str, Any]]) -> Table:
    """What calls are made from where both modalities are read, and the AUC of their fusion taken as it is."""
    fused = [line for line in summary if "+" in line["modalities"]]
    views = list(dict.fromkeys(view for line in fused for view in line["shares"]))
    rows = [
        [line["head"], line["modalities"]]
        + [_figure(line["shares"].get(view), ".0%") for view in views]
        + [_figure(line[figure]) for figure in ("auc_mean", "auc_unweighed_mean")]
        for line in fused
    ]
    return _table("What counts in a call", ("head", "reads"), (*views, "AUC", "unweighed"), rows)


def _means(summary: Sequence[Mapping[str, Any]], protocol: Mapping[str, Any]) -> Table:
    rows = [
        [line["head"], line["modalities"], _figure(line["auc_mean"]), _interval(line)]
        + [_figure(line[f"{figure}_mean"]) for figure in FIGURES if figure != "auc"]
        for line in summary
    ]
    figures = ("AUC", "95 %", *(name for figure, name in FIGURES.items() if figure != "auc"))
    patients, seeds = (max(line[of] for line in summary) for of in ("patients", "seeds"))
    title = f"Means over {patients} patients, {seeds} seed{'s' if seeds > 1 else ''}"
    said = f"F1 is at the {protocol['f1']}. {ORACLE_F1} {protocol['interval']}."
    return _table(title, ("head", "reads"), figures, rows, said)


def _differences(title: str, lines: Sequence[Mapping[str, Any]], caption: str = "") -> Table:
    rows = [
        (
            line["head"],
            line["modalities"],
            _figure(line["auc_difference"], SIGNED),
            _interval(line, SIGNED),
            f"{line['better']}",
            f"{line['worse']}",
            _figure(line["lowest"], SIGNED),
            _lowest(line["by_patient"]),
        )
        for line in lines
    ]
    figures = ("mean", "95 %", "better", "worse", "lowest", "on")
    return _table(title, ("head", "reads"), figures, rows, caption)


def _lowest(by_patient: Mapping[str, float]) -> str:
    return min(by_patient, key=lambda patient: by_patient[patient])


def _table(
    title: str, left: Sequence[str], figures: Sequence[str], rows: Sequence[Sequence[str]], caption: str = ""
) -> Table:
    """Words to the left, where they may be folded; figures to the right, where they may not."""
    table = Table(
        title=Text(printable(title), style="bold"),
        title_justify="left",
        caption=Text(caption + "\n") if caption else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
    )
    for name in left:
        table.add_column(name, overflow="fold", no_wrap=name == "reads")
    for name in figures:
        table.add_column(Text(printable(name)), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell) or "-") for cell in row))
    return table


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _figure(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def _interval(line: Mapping[str, Any], form: str = ".3f") -> str:
    low, high = (_figure(line[end], form) for end in ("auc_low", "auc_high"))
    return "-" if line["auc_low"] is None else f"{low} {high}"
