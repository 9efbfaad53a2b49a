"""The contents of the training curve."""

import io
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from spacrd_core.detector import drawing
from spacrd_core.detector import training_curve as curve
from spacrd_core.detector.training_curve import curve_png

PHASES = {"align": 3, "detect": 2}
HELD_OUT = {"A1": {"auc": 0.9}, "A2": {"auc": 0.8}, "B1": {"auc": 0.95}, "C1": {"auc": None}}
PATIENTS = {"A1": "A", "A2": "A", "B1": "B", "C1": "C"}


def trained(members: int = 2) -> list[dict[str, Any]]:
    """The records of a training: one member after another, each with its phases."""

    def losses(phase: str, epoch: int, member: int) -> dict[str, float]:
        terms = {"align": ("contrastive",), "detect": ("detection", "prior")}[phase]
        return dict.fromkeys(terms, 1.0 / epoch + member)

    return [
        {"phase": phase, "epoch": epoch, "losses": losses(phase, epoch, member)}
        for member in range(members)
        for phase, epochs in PHASES.items()
        for epoch in range(1, epochs + 1)
    ]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The matplotlib figures of the PNG files."""
    figures: list[Figure] = []
    render = drawing.figure_png

    def keep(figure: Figure) -> bytes:
        figures.append(figure)
        return render(figure)

    monkeypatch.setattr(curve, "figure_png", keep)
    return figures


def panels(figure: Figure) -> dict[str, Axes]:
    """The loss panels by their term."""
    return {axes.get_ylabel(): axes for axes in figure.subfigs[0].axes}


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_every_loss_term_has_a_panel_with_its_mean_over_members(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": {}}, {})
    by_term = panels(drawn[0])
    assert list(by_term) == ["contrastive", "detection", "prior"]
    *members, mean = by_term["contrastive"].lines
    assert [np.asarray(line.get_ydata())[0] for line in members] == [1.0, 2.0]
    assert mean.get_ydata() == pytest.approx([1.5, 1.0, 1 / 3 + 0.5])
    assert np.asarray(mean.get_xdata()).tolist() == [1, 2, 3]


def test_phases_are_consecutive_and_named_above_their_shade(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": {}}, {})
    top = panels(drawn[0])["contrastive"]
    bands = cast("Iterable[Rectangle]", top.patches)
    assert texts(top) == ["align", "detect"]
    assert np.asarray(panels(drawn[0])["detection"].lines[-1].get_xdata()).tolist() == [4, 5]
    assert [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in bands] == [(0.5, 3.5), (3.5, 5.5)]


def test_members_trained_in_parallel_are_distinguished(drawn: list[Figure]) -> None:
    mixed = sorted(trained(), key=lambda record: (record["phase"], record["epoch"]))
    for records in (trained(), mixed):
        curve_png({"curve": records, "held_out": {}}, {})
    lines = [[np.asarray(line.get_ydata()).tolist() for line in panels(figure)["prior"].lines] for figure in drawn]
    assert lines[0] == lines[1]


def test_a_member_that_stopped_early_ends_the_mean_but_not_the_others(drawn: list[Figure]) -> None:
    curve_png({"curve": trained()[:-1], "held_out": {}}, {})
    *members, mean = panels(drawn[0])["detection"].lines
    assert [len(np.asarray(line.get_ydata())) for line in (*members, mean)] == [2, 1, 1]


def test_a_patient_is_a_dot_at_the_mean_auc_of_its_sections(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": HELD_OUT}, PATIENTS)
    dots = drawn[0].subfigs[1].axes[0]
    assert [label.get_text() for label in dots.get_yticklabels()] == ["A", "B", "C"]
    assert texts(dots) == ["0.850", "0.950", "one class"]
    assert dots.get_title(loc="left") == "AUC of held-out patients: mean 0.900"


def test_an_auc_below_chance_is_inside_the_axes(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {"A1": {"auc": 0.2}}}, PATIENTS)
    assert drawn[0].subfigs[1].axes[0].get_xlim()[0] < 0.2


def test_missing_data_are_explained(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {}}, {})
    assert texts(drawn[0].subfigs[0].axes[0]) == ["this head is fitted in one step, without epochs"]
    assert texts(drawn[0].subfigs[1].axes[0]) == ["no held-out patient has both classes"]


def test_a_name_with_dollars_is_not_a_formula(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {"A1": {"auc": 0.9}}}, {"A1": "$\\frac$"})
    assert drawn[0].subfigs[1].axes[0].get_yticklabels()[0].get_text() == "$\\frac$"


def test_the_same_training_gives_the_same_bytes_of_a_valid_png() -> None:
    metrics = {"curve": trained(), "held_out": HELD_OUT}
    first, again = curve_png(metrics, PATIENTS), curve_png(metrics, PATIENTS)
    assert first == again
    picture = Image.open(io.BytesIO(first))
    assert picture.width == 10 * drawing.DPI
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10
