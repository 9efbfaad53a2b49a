"""Tables of ``spacrd evaluate``: sections, patients, means, differences; one line per head and set of modalities."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from spacrd_cli.terminal.tables import GAP, SHORTEST_ID, Column, FittedTable, all_elided
from spacrd_core.quoting import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from spacrd_core.evaluation.summary import Row

METRIC_NAMES = {"auc": "AUC", "ap": "AP", "f1_prevalence": "F1*", "f1": "F1", "brier": "Brier", "ece": "ECE"}
NAMES = (Column("head", prose=True), "modalities")
# what is left out where there is little room, the highest first
LESSER = {"F1*": 6, "ECE": 5, "Brier": 4, "F1": 3, "AP": 1, "cancer": 1}
LESSER |= {"worse": 4, "better": 3, "patient": 2, "lowest": 1}  # of differences
ORACLE_F1_NOTE = "F1* calls the section's true fraction of cancer spots, which uses the test labels."
ORACLE_NOTE = "The better modality is chosen by the patient's own labels; no choice made beforehand can do better."
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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[FittedTable]:
        names = list(dict.fromkeys(name for line in self._summary for name in line[self._key]))
        left = sum(max(len(line[part]) for line in self._summary) + GAP for part in ("head", "modalities"))
        headings = dict(zip(names, all_elided([printable(str(name)) for name in names], SHORTEST_ID), strict=True))
        width = max(len("0.000"), *map(cell_len, headings.values()), 0) + GAP
        columns = (options.max_width - min(left, options.max_width // 2)) // width
        fitting = max(1, columns - 1)  # one column is for the mean
        for start in range(0, max(len(names), 1), fitting):
            shown = names[start : start + fitting]
            rows = [
                [line["head"], line["modalities"], *map(_format, (*map(line[self._key].get, shown), line["auc_mean"]))]
                for line in self._summary
            ]
            end = start + len(shown)
            part = f" ({start + 1} to {end})" if end > start + 1 else f" ({end})"
            title = self._title if len(shown) == len(names) else f"{self._title}{part}"
            yield _table(title, NAMES, (*(headings[name] for name in shown), "mean"), rows)


def _sections(rows: Sequence[Row], line: Mapping[str, Any]) -> FittedTable:
    """Return the sections of one head and set of modalities, with metrics as means over seeds, and notes below."""
    matching = [row for row in rows if (row.head, row.modalities) == (line["head"], line["modalities"])]
    sections = {row.section: [other for other in matching if other.section == row.section] for row in matching}
    noted: dict[str, list[str]] = {}
    for name, runs in sections.items():
        noted.setdefault(runs[0].note, []).append(name)
    notes = [f"{note} ({listed(names)})" for note, names in noted.items() if note]
    cells = [
        [runs[0].patient, name, f"{runs[0].spots}", f"{runs[0].positives}"]
        + [_format(_mean([getattr(row, metric) for row in runs])) for metric in METRIC_NAMES]
        for name, runs in sections.items()
    ]
    left = (Column("patient", 1), "section")
    seeds = f", mean of {line['seeds']} seeds" if line["seeds"] > 1 else ""
    title = f"{line['head']} with {line['modalities']}: sections{seeds}"
    return _table(title, left, ("spots", "cancer", *METRIC_NAMES.values()), cells, "; ".join(notes))


def _weights(summary: Sequence[Mapping[str, Any]]) -> FittedTable:
    """Return the modality weights where both modalities are used, and the AUC of the unweighted fusion."""
    fused = [line for line in summary if "+" in line["modalities"]]
    modalities = list(dict.fromkeys(modality for line in fused for modality in line["weights"]))
    rows = [
        [line["head"], line["modalities"]]
        + [_format(line["weights"].get(modality), ".0%") for modality in modalities]
        + [_format(line[metric]) for metric in ("auc_mean", "auc_unweighted_mean")]
        for line in fused
    ]
    return _table("Modality weights in calls", NAMES, (*modalities, "AUC", "unweighted"), rows)


def _means(summary: Sequence[Mapping[str, Any]], protocol: Mapping[str, Any]) -> FittedTable:
    rows = [
        [line["head"], line["modalities"], _format(line["auc_mean"]), _interval(line)]
        + [_format(line[f"{metric}_mean"]) for metric in METRIC_NAMES if metric != "auc"]
        for line in summary
    ]
    metrics = ("AUC", "95 %", *(name for metric, name in METRIC_NAMES.items() if metric != "auc"))
    patients, seeds = (max(line[of] for line in summary) for of in ("patients", "seeds"))
    title = f"Means over {patients} patients, {seeds} seed{'s' if seeds > 1 else ''}"
    caption = f"F1 is at the {protocol['f1']}. {ORACLE_F1_NOTE} {protocol['interval']}. Held out: {protocol['folds']}."
    return _table(title, NAMES, metrics, rows, caption)


def _differences(title: str, lines: Sequence[Mapping[str, Any]], caption: str = "") -> FittedTable:
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
    return _table(title, NAMES, metrics, rows, caption)


def _lowest_patient(by_patient: Mapping[str, float]) -> str:
    return min(by_patient, key=lambda patient: by_patient[patient])


def _table(
    title: str,
    left: Sequence[str | Column],
    metrics: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str = "",
) -> FittedTable:
    """Return a table with text columns on the left, and metrics on the right, of which the lesser may be left out."""
    figures = [Column(printable(name), LESSER.get(name, 0), figure=name != "patient") for name in metrics]
    return FittedTable([*left, *figures], rows, title=title, caption=caption)


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _format(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def _interval(line: Mapping[str, Any], form: str = ".3f") -> str:
    low, high = (_format(line[end], form) for end in ("auc_low", "auc_high"))
    return "-" if line["auc_low"] is None else f"{low} {high}"
