"""The training curve of a detector: every loss term by epoch, and the AUC of held-out patients."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spacrd_core.detector.drawing import (
    ACCENT_COLOUR,
    BACKGROUND_COLOURS,
    DPI,
    GUIDE_COLOUR,
    MAIN_COLOUR,
    drawn,
    figure_png,
    style_axes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

Record = dict[str, Any]

PANEL_INCHES, PATIENT_INCHES, MARGIN_INCHES, MIN_HEIGHT_INCHES = 1.4, 0.32, 1.0, 2.4
MEMBER_COLOUR = "#9db8d2"


def curve_png(metrics: Mapping[str, Any], patients: Mapping[str, str]) -> bytes:
    """Return the training curve as PNG; equal metrics give equal bytes.

    ``patients`` has the patient of each section. Thin lines are ensemble members, the thick line is their mean.
    """
    curve: list[Record] = metrics["curve"]
    terms = list(dict.fromkeys(name for record in curve for name in record["losses"]))
    aucs = _aucs(metrics["held_out"], patients)
    patients_height = PATIENT_INCHES * len(aucs) + MARGIN_INCHES
    height = max(MIN_HEIGHT_INCHES, PANEL_INCHES * len(terms) + MARGIN_INCHES, patients_height)
    figure = Figure(figsize=(10.0, height), dpi=DPI, layout="constrained")
    loss_figure, patient_figure = figure.subfigures(1, 2, width_ratios=(1.6 if curve else 0.8, 1.0), squeeze=False)[0]
    _draw_terms(loss_figure.subplots(max(1, len(terms)), 1, sharex=True, squeeze=False)[:, 0], curve, terms)
    dots, empty = patient_figure.subplots(2, 1, height_ratios=(patients_height, max(height - patients_height, 0.01)))
    empty.set_axis_off()
    _draw_patients(dots, aucs)
    return figure_png(figure)


def _draw_terms(rows: Sequence[Axes], curve: Sequence[Record], terms: Sequence[str]) -> None:
    """Draw one panel per loss term, because the scales of the terms differ; shades mark the phases."""
    rows[0].set_title("Loss by epoch", loc="left", fontweight="bold", pad=20 if curve else 6)
    if not curve:
        _write_message(rows[0], "this head is fitted in one step, without epochs")
        return
    spans = _spans(curve)
    for axes, term in zip(rows, terms, strict=True):
        for index, (phase, (first, last)) in enumerate(spans.items()):
            axes.axvspan(first - 0.5, last + 0.5, color=BACKGROUND_COLOURS[index % 2], linewidth=0)
            _draw_term(axes, [record for record in curve if record["phase"] == phase], term, first)
        axes.set_ylabel(drawn(term), fontsize=9, parse_math=False)
        axes.margins(y=0.15)
        style_axes(axes)
    for phase, (first, last) in spans.items():
        position = ((first + last) / 2, 1.03)
        text = rows[0].text(*position, drawn(phase), transform=rows[0].get_xaxis_transform(), ha="center", va="bottom")
        text.set(fontsize=9, parse_math=False)
    rows[0].set_xlim(0.5, max(last for _, last in spans.values()) + 0.5)
    rows[-1].set_xlabel("epoch")
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_term(axes: Axes, records: Sequence[Record], term: str, first: int) -> None:
    """Draw one term in one phase: one line per member, and their mean."""
    members = [line for line in _members(records, term) if line]
    if not members:
        return
    style: dict[str, Any] = {"marker": "o" if len(members[0]) == 1 else "", "markersize": 3}
    for line in members if len(members) > 1 else []:
        axes.plot(range(first, first + len(line)), line, color=MEMBER_COLOUR, linewidth=0.8, **style)
    mean = np.mean([line[: min(map(len, members))] for line in members], axis=0)
    axes.plot(range(first, first + len(mean)), mean, color=MAIN_COLOUR, linewidth=1.8, **style)


def _draw_patients(axes: Axes, aucs: Mapping[str, float | None]) -> None:
    defined = [auc for auc in aucs.values() if auc is not None]
    if not defined:
        axes.set_title("AUC of held-out patients", loc="left", fontweight="bold")
        _write_message(axes, "no held-out patient has both classes")
        return
    mean = float(np.mean(defined))
    axes.set_title(f"AUC of held-out patients: mean {mean:.3f}", loc="left", fontweight="bold")
    axes.set(xlim=(min(0.5, *defined) - 0.02, 1.01), ylim=(len(aucs) - 0.4, -0.6), xlabel="AUC (0.5 is chance)")
    for row, auc in enumerate(aucs.values()):
        _draw_patient(axes, row, auc)
    axes.axvline(mean, color=MAIN_COLOUR, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
    axes.axvline(0.5, color=GUIDE_COLOUR, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(aucs)), [drawn(patient) for patient in aucs], parse_math=False)
    style_axes(axes)


def _draw_patient(axes: Axes, row: int, auc: float | None) -> None:
    """Draw a dot on a line, with the AUC beside it."""
    axes.axhline(row, color=BACKGROUND_COLOURS[1], linewidth=1, zorder=0)
    if auc is not None:
        axes.plot([auc], [row], "o", color=ACCENT_COLOUR, markersize=7, clip_on=False)
    label = "one class" if auc is None else f"{auc:.3f}"
    axes.text(1.03, row, label, transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _spans(curve: Sequence[Record]) -> dict[str, tuple[int, int]]:
    """Return the first and the last epoch of every phase, counted over the whole training of a member."""
    longest: Counter[str] = Counter()
    for record in curve:
        longest[record["phase"]] = max(longest[record["phase"]], record["epoch"])
    ends = np.cumsum(list(longest.values())).tolist()
    return {phase: (end - length + 1, end) for (phase, length), end in zip(longest.items(), ends, strict=True)}


def _members(records: Sequence[Record], term: str) -> list[list[float]]:
    """Return the term by epoch of every member; the nth record of an epoch belongs to the nth member."""
    counts: Counter[int] = Counter()
    members: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if term in record["losses"]:
            members[counts[record["epoch"]]].append(record["losses"][term])
        counts[record["epoch"]] += 1
    return list(members.values())


def _aucs(held_out: Mapping[str, Mapping[str, Any]], patients: Mapping[str, str]) -> dict[str, float | None]:
    """Return the AUC of every patient: the mean over its sections; None if they have one class."""
    by_patient: dict[str, list[float]] = {}
    for section, metrics in held_out.items():
        aucs = by_patient.setdefault(patients[section], [])
        aucs.extend([] if metrics["auc"] is None else [metrics["auc"]])
    return {patient: float(np.mean(aucs)) if aucs else None for patient, aucs in sorted(by_patient.items())}


def _write_message(axes: Axes, message: str) -> None:
    axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color=GUIDE_COLOUR, wrap=True)
    axes.set_axis_off()
