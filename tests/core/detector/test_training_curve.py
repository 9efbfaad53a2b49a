"""The picture of a training, by what is drawn in it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from spacrd_core.detector import training_curve as curve
from spacrd_core.detector.training_curve import curve_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PHASES = {"align": 3, "detect": 2}
HELD_OUT = {"A1": {"auc": 0.9}, "A2": {"auc": 0.8}, "B1": {"auc": 0.95}, "C1": {"auc": None}}
PATIENTS = {"A1": "A", "A2": "A", "B1": "B", "C1": "C"}


def trained(members: int = 2) -> list[dict[str, Any]]:
    """Records as a training leaves them: one member after another, each with its phases."""

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
    """The figures behind the pictures."""
    figures: list[Figure] = []
    paint = curve.png

    def keep(figure: Figure) -> bytes:
        figures.append(figure)
        return paint(figure)

    monkeypatch.setattr(curve, "png", keep)
    return figures


def panels(figure: Figure) -> dict[str, Axes]:
    """The loss panels by their term."""
    return {axes.get_ylabel(): axes for axes in figure.subfigs[0].axes}


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_every_loss_term_has_a_panel_with_its_mean_over_members(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": {}}, {})
    shown = panels(drawn[0])
    assert list(shown) == ["contrastive", "detection", "prior"]
    *members, mean = shown["contrastive"].lines
    assert [line.get_ydata()[0] for line in members] == [1.0, 2.0]
    assert mean.get_ydata() == pytest.approx([1.5, 1.0, 1 / 3 + 0.5])
    assert list(mean.get_xdata()) == [1, 2, 3]


def test_phases_follow_one_another_and_are_named_above_their_shade(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": {}}, {})
    top = panels(drawn[0])["contrastive"]
    assert words(top) == ["align", "detect"]
    assert list(panels(drawn[0])["detection"].lines[-1].get_xdata()) == [4, 5]
    assert [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in top.patches] == [(0.5, 3.5), (3.5, 5.5)]


def test_members_trained_side_by_side_are_told_apart_too(drawn: list[Figure]) -> None:
    mixed = sorted(trained(), key=lambda record: (record["phase"], record["epoch"]))
    for records in (trained(), mixed):
        curve_png({"curve": records, "held_out": {}}, {})
    lines = [[list(line.get_ydata()) for line in panels(figure)["prior"].lines] for figure in drawn]
    assert lines[0] == lines[1]


def test_a_member_that_stopped_early_ends_the_mean_but_not_the_others(drawn: list[Figure]) -> None:
    curve_png({"curve": trained()[:-1], "held_out": {}}, {})
    *members, mean = panels(drawn[0])["detection"].lines
    assert [len(line.get_ydata()) for line in (*members, mean)] == [2, 1, 1]


def test_a_patient_is_a_dot_at_the_mean_auc_of_its_sections(drawn: list[Figure]) -> None:
    curve_png({"curve": trained(), "held_out": HELD_OUT}, PATIENTS)
    dots = drawn[0].subfigs[1].axes[0]
    assert [label.get_text() for label in dots.get_yticklabels()] == ["A", "B", "C"]
    assert words(dots) == ["0.850", "0.950", "one class"]
    assert dots.get_title(loc="left") == "AUC of patients held out: mean 0.900"


def test_an_auc_below_chance_is_inside_the_picture(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {"A1": {"auc": 0.2}}}, PATIENTS)
    assert drawn[0].subfigs[1].axes[0].get_xlim()[0] < 0.2


def test_what_is_not_there_is_said(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {}}, {})
    assert words(drawn[0].subfigs[0].axes[0]) == ["this head is fitted at once: there are no epochs"]
    assert words(drawn[0].subfigs[1].axes[0]) == ["no patient with both classes could be held out"]


def test_a_name_with_dollars_is_no_formula(drawn: list[Figure]) -> None:
    curve_png({"curve": [], "held_out": {"A1": {"auc": 0.9}}}, {"A1": "$\\frac$"})
    assert drawn[0].subfigs[1].axes[0].get_yticklabels()[0].get_text() == "$\\frac$"


def test_the_same_training_gives_the_same_bytes_of_a_picture_that_opens() -> None:
    metrics = {"curve": trained(), "held_out": HELD_OUT}
    first, again = curve_png(metrics, PATIENTS), curve_png(metrics, PATIENTS)
    assert first == again
    picture = Image.open(io.BytesIO(first))
    assert picture.width == 10 * curve.DPI
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10
