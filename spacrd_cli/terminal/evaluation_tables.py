"""Tables of ``spacrd evaluate``: sections, patients, means, differences; one line per head and set of modalities."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from spacrd_core.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from spacrd_core.evaluation.summary import Row

METRIC_NAMES = {"auc": "AUC", "ap": "AP", "f1_prevalence": "F1*", "f1": "F1", "brier": "Brier", "ece": "ECE"}
ORACLE_F1_NOTE = "F1* calls the section's true fraction of cancer spots, which uses the test labels."
ORACLE_NOTE = "The better modality is chosen by the patient's own labels; no choice made beforehand can do better."
COLUMN_GAP = 2
SIGNED_FORMAT = "+z.3f"  # z avoids -0.000


def evaluation_tables(rows: Sequence[Row], document: Mapping[str, Any]) -> list[RenderableType]:
    """Return all tables of an evaluation, details first and the summary last."""
    summary, differences = document["summary"], document["differences"]
    parts: list[RenderableType] = [_sections(rows, line) for line in summary]
    parts.append(WrappedTable("AUC by patient", summary, "auc_by_patient"))
    if max(line["seeds"] for line in summary) > 1:
        parts.append(WrappedTable("AUC by seed", summary, "auc_by_seed"))
    parts.append(_means(summary, document["protocol"]))
    if any("+" in line["modalities"] and line["weights"] for line in summary):
        parts.append(_weights(summary))
    fusion = [line for line in differences if line["head"] == line["against_head"]]
    baseline = [line for line in differences if line["head"] != line["against_head"]]
    for against in dict.fromkeys(line["against_head"] for line in baseline):
        lines = [line for line in baseline if line["against_head"] == against]
        parts.append(_differences(f"AUC minus that of {against} on the same patients", lines))
    if fusion:
        parts.append(
            _differences("AUC of both modalities minus that of the better one, by patient", fusion, ORACLE_NOTE)
        )
    return parts


class WrappedTable:
    """A table with one column per patient or seed, split into several where the screen is too narrow."""

    def __init__(self, title: str, summary: Sequence[Mapping[str, Any]], key: str) -> None:
        self._title, self._summary, self._key = title, summary, key

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        names = list(dict.fromkeys(name for line in self._summary for name in line[self._key]))
        left = sum(max(len(line[part]) for line in self._summary) + COLUMN_GAP for part in ("head", "modalities"))
        width = max(len("0.000"), *(len(str(name)) for name in names), 0) + COLUMN_GAP
        columns = (options.max_width - min(left, options.max_width // 2)) // width
        fitting = max(1, columns - 1)  # one column is for the mean
        for start in range(0, max(len(names), 1), fitting):
            shown = names[start : start + fitting]
            rows = [
                [line["head"], line["modalities"], *map(_format, (*map(line[self._key].get, shown), line["auc_mean"]))]
                for line in self._summary
            ]
            title = self._title if len(shown) == len(names) else f"{self._title} ({start + 1} to {start + len(shown)})"
            yield _table(title, ("head", "modalities"), (*map(str, shown), "mean"), rows)


def _sections(rows: Sequence[Row], line: Mapping[str, Any]) -> Table:
    """Return the sections of one head and set of modalities, with metrics as means over seeds."""
    matching = [row for row in rows if (row.head, row.modalities) == (line["head"], line["modalities"])]
    sections = {row.section: [other for other in matching if other.section == row.section] for row in matching}
    notes = any(row.note for row in matching)
    cells = [
        [runs[0].patient, name, *([runs[0].note] if notes else []), f"{runs[0].spots}", f"{runs[0].positives}"]
        + [_format(_mean([getattr(row, metric) for row in runs])) for metric in METRIC_NAMES]
        for name, runs in sections.items()
    ]
    left = ("patient", "section", "note") if notes else ("patient", "section")
    seeds = f", mean of {line['seeds']} seeds" if line["seeds"] > 1 else ""
    title = f"{line['head']} with {line['modalities']}: sections{seeds}"
    return _table(title, left, ("spots", "cancer", *METRIC_NAMES.values()), cells)


def _weights(summary: Sequence[Mapping[str, Any]]) -> Table:
    """Return the modality weights where both modalities are used, and the AUC of the unweighted fusion."""
    fused = [line for line in summary if "+" in line["modalities"]]
    modalities = list(dict.fromkeys(modality for line in fused for modality in line["weights"]))
    rows = [
        [line["head"], line["modalities"]]
        + [_format(line["weights"].get(modality), ".0%") for modality in modalities]
        + [_format(line[metric]) for metric in ("auc_mean", "auc_unweighted_mean")]
        for line in fused
    ]
    return _table("Modality weights in calls", ("head", "modalities"), (*modalities, "AUC", "unweighted"), rows)


def _means(summary: Sequence[Mapping[str, Any]], protocol: Mapping[str, Any]) -> Table:
    rows = [
        [line["head"], line["modalities"], _format(line["auc_mean"]), _interval(line)]
        + [_format(line[f"{metric}_mean"]) for metric in METRIC_NAMES if metric != "auc"]
        for line in summary
    ]
    metrics = ("AUC", "95 %", *(name for metric, name in METRIC_NAMES.items() if metric != "auc"))
    patients, seeds = (max(line[of] for line in summary) for of in ("patients", "seeds"))
    title = f"Means over {patients} patients, {seeds} seed{'s' if seeds > 1 else ''}"
    caption = f"F1 is at the {protocol['f1']}. {ORACLE_F1_NOTE} {protocol['interval']}. Held out: {protocol['folds']}."
    return _table(title, ("head", "modalities"), metrics, rows, caption)


def _differences(title: str, lines: Sequence[Mapping[str, Any]], caption: str = "") -> Table:
    rows = [
        (
            line["head"],
            line["modalities"],
            _format(line["auc_difference"], SIGNED_FORMAT),
            _interval(line, SIGNED_FORMAT),
            f"{line['better']}",
            f"{line['worse']}",
            _format(line["lowest"], SIGNED_FORMAT),
            _lowest_patient(line["by_patient"]),
        )
        for line in lines
    ]
    metrics = ("mean", "95 %", "better", "worse", "lowest", "patient")
    return _table(title, ("head", "modalities"), metrics, rows, caption)


def _lowest_patient(by_patient: Mapping[str, float]) -> str:
    return min(by_patient, key=lambda patient: by_patient[patient])


def _table(
    title: str, left: Sequence[str], metrics: Sequence[str], rows: Sequence[Sequence[str]], caption: str = ""
) -> Table:
    """Return a table with text columns on the left, which may wrap, and metrics on the right, which may not."""
    table = Table(
        title=Text(printable(title), style="bold"),
        title_justify="left",
        caption=Text(caption + "\n") if caption else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, COLUMN_GAP - 1, 0, 0),
    )
    for name in left:
        table.add_column(name, overflow="fold", no_wrap=name == "modalities")
    for name in metrics:
        table.add_column(Text(printable(name)), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell) or "-") for cell in row))
    return table


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _format(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def _interval(line: Mapping[str, Any], form: str = ".3f") -> str:
    low, high = (_format(line[end], form) for end in ("auc_low", "auc_high"))
    return "-" if line["auc_low"] is None else f"{low} {high}"
