"""The training curve of a detector as a picture: every loss term by epoch, and the AUC of patients held out."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spacrd_core.detector.drawing import ACCENT, DPI, GUIDE, INK, SHADES, png, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

Record = dict[str, Any]

ROW_INCHES, PATIENT_INCHES, MARGIN_INCHES, LEAST_INCHES = 1.4, 0.32, 1.0, 2.4
MEMBER = "#9db8d2"


def curve_png(metrics: Mapping[str, Any], patients: Mapping[str, str]) -> bytes:
    """Return the picture of a training as PNG; the same metrics give the same bytes.

    ``patients`` says whose each section is. Members of an ensemble are thin lines, their mean is a thick one.
    """
    curve: list[Record] = metrics["curve"]
    terms = list(dict.fromkeys(name for record in curve for name in record["losses"]))
    aucs = _aucs(metrics["held_out"], patients)
    needed = PATIENT_INCHES * len(aucs) + MARGIN_INCHES
    height = max(LEAST_INCHES, ROW_INCHES * len(terms) + MARGIN_INCHES, needed)
    figure = Figure(figsize=(10.0, height), dpi=DPI, layout="constrained")
    losses, patients_held_out = figure.subfigures(1, 2, width_ratios=(1.6 if curve else 0.8, 1.0), squeeze=False)[0]
    _draw_terms(losses.subplots(max(1, len(terms)), 1, sharex=True, squeeze=False)[:, 0], curve, terms)
    dots, rest = patients_held_out.subplots(2, 1, height_ratios=(needed, max(height - needed, 0.01)))
    rest.set_axis_off()
    _draw_patients(dots, aucs)
    return png(figure)


def _draw_terms(rows: Sequence[Axes], curve: Sequence[Record], terms: Sequence[str]) -> None:
    """A panel a loss term, for their sizes have nothing in common; phases are shaded."""
    rows[0].set_title("Loss by epoch", loc="left", fontweight="bold", pad=20 if curve else 6)
    if not curve:
        _say(rows[0], "this head is fitted at once: there are no epochs")
        return
    spans = _spans(curve)
    for axes, term in zip(rows, terms, strict=True):
        for place, (phase, (first, last)) in enumerate(spans.items()):
            axes.axvspan(first - 0.5, last + 0.5, color=SHADES[place % 2], linewidth=0)
            _draw_term(axes, [record for record in curve if record["phase"] == phase], term, first)
        axes.set_ylabel(term, fontsize=9)
        axes.margins(y=0.15)
        tidy(axes)
    for phase, (first, last) in spans.items():
        where = ((first + last) / 2, 1.03)
        rows[0].text(*where, phase, transform=rows[0].get_xaxis_transform(), ha="center", va="bottom", fontsize=9)
    rows[0].set_xlim(0.5, max(last for _, last in spans.values()) + 0.5)
    rows[-1].set_xlabel("epoch")
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_term(axes: Axes, records: Sequence[Record], term: str, first: int) -> None:
    """One term in one phase: a line a member, and their mean."""
    members = [line for line in _members(records, term) if line]
    if not members:
        return
    style: dict[str, Any] = {"marker": "o" if len(members[0]) == 1 else "", "markersize": 3}
    for line in members if len(members) > 1 else []:
        axes.plot(range(first, first + len(line)), line, color=MEMBER, linewidth=0.8, **style)
    mean = np.mean([line[: min(map(len, members))] for line in members], axis=0)
    axes.plot(range(first, first + len(mean)), mean, color=INK, linewidth=1.8, **style)


def _draw_patients(axes: Axes, aucs: Mapping[str, float | None]) -> None:
    known = [auc for auc in aucs.values() if auc is not None]
    if not known:
        axes.set_title("AUC of patients held out", loc="left", fontweight="bold")
        _say(axes, "no patient with both classes could be held out")
        return
    mean = float(np.mean(known))
    axes.set_title(f"AUC of patients held out: mean {mean:.3f}", loc="left", fontweight="bold")
    axes.set(xlim=(min(0.5, *known) - 0.02, 1.01), ylim=(len(aucs) - 0.4, -0.6), xlabel="AUC (0.5 is chance)")
    for place, auc in enumerate(aucs.values()):
        _draw_patient(axes, place, auc)
    axes.axvline(mean, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
    axes.axvline(0.5, color=GUIDE, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(aucs)), list(aucs), parse_math=False)
    tidy(axes)


def _draw_patient(axes: Axes, place: int, auc: float | None) -> None:
    """A dot on a rule, and the figure beside it."""
    axes.axhline(place, color=SHADES[1], linewidth=1, zorder=0)
    if auc is not None:
        axes.plot([auc], [place], "o", color=ACCENT, markersize=7, clip_on=False)
    said = "one class" if auc is None else f"{auc:.3f}"
    axes.text(1.03, place, said, transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _spans(curve: Sequence[Record]) -> dict[str, tuple[int, int]]:
    """The first and the last epoch of every phase, counted through the whole training of a member."""
    longest: Counter[str] = Counter()
    for record in curve:
        longest[record["phase"]] = max(longest[record["phase"]], record["epoch"])
    ends = np.cumsum(list(longest.values())).tolist()
    return {phase: (end - length + 1, end) for (phase, length), end in zip(longest.items(), ends, strict=True)}


def _members(records: Sequence[Record], term: str) -> list[list[float]]:
    """The term by epoch of every member: the first time an epoch occurs it is the first member's, and so on."""
    seen: Counter[int] = Counter()
    members: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if term in record["losses"]:
            members[seen[record["epoch"]]].append(record["losses"][term])
        seen[record["epoch"]] += 1
    return list(members.values())


def _aucs(held_out: Mapping[str, Mapping[str, Any]], patients: Mapping[str, str]) -> dict[str, float | None]:
    """Every patient's AUC: the mean over its sections; None where they have one class."""
    found: dict[str, list[float]] = {}
    for section, figures in held_out.items():
        aucs = found.setdefault(patients[section], [])
        aucs.extend([] if figures["auc"] is None else [figures["auc"]])
    return {patient: float(np.mean(found[patient])) if found[patient] else None for patient in sorted(found)}


def _say(axes: Axes, sentence: str) -> None:
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", color=GUIDE, wrap=True)
    axes.set_axis_off()
