"""The tables of an evaluation at several terminal widths."""

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from spacrd_cli.terminal.evaluation_tables import evaluation_tables
from spacrd_core.evaluation.comparison import compare_with_baseline, compare_with_single_modalities
from spacrd_core.evaluation.summary import Row, summarise

MODALITIES = ("image+genes", "genes", "image")


def rows(patients: int, *, heads: tuple[str, ...] = ("spacrd", "linear"), seeds: int = 1, note: str = "") -> list[Row]:
    rng = np.random.default_rng(0)

    def row(head: str, modalities: str, seed: int, patient: int) -> Row:
        auc, ap, top, f1, brier, ece = rng.uniform(0.5, 1, 6)
        names = {"head": head, "encoder": "stain", "modalities": modalities, "seed": seed, "platform": "st"}
        names |= {"patient": f"P{patient}", "section": f"P{patient}s", "note": note}
        figures = {"auc": auc, "ap": ap, "f1_prevalence": top, "f1": f1, "brier": brier, "ece": ece}
        weights = dict.fromkeys(modalities.split("+"), 0.5) if "+" in modalities else {modalities: 1.0}
        return Row(**names, spots=100, positives=40, weights=weights, auc_unweighted=auc / 2, **figures)

    return [row(h, m, s, p) for h in heads for m in MODALITIES for s in range(seeds) for p in range(patients)]


def shown(results: list[Row], width: int) -> str:
    differences = [*compare_with_baseline(results, "linear"), *compare_with_single_modalities(results)]
    document: dict[str, Any] = {
        "summary": summarise(results),
        "differences": [difference.model_dump() for difference in differences],
        "protocol": {
            "interval": "these are rough",
            "f1": "threshold of held-out patients",
            "folds": "each patient alone",
        },
    }
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    for part in evaluation_tables(results, document):
        console.print(part)
    return screen.getvalue()


def test_eighty_columns_hold_every_figure_of_a_plain_head_on_one_line() -> None:
    text = shown(rows(6), 80)
    assert max(map(len, text.splitlines())) <= 80
    means = text[text.index("Means over 6 patients, 1 seed") :].splitlines()[4]
    assert means.split()[:2] == ["spacrd", "image+genes"]
    assert len(means.split()) == 2 + 1 + 2 + 5, "two names, the AUC, its interval, five more figures"


def test_every_head_and_set_of_modalities_has_one_line_of_means() -> None:
    results = rows(4)
    text = shown(results, 120)
    after = text[text.index("Means over") :].splitlines()[4:10]
    assert [tuple(line.split()[:2]) for line in after] == [(h, m) for h in ("spacrd", "linear") for m in MODALITIES]
    assert [line.split()[2] for line in after] == [f"{line['auc_mean']:.3f}" for line in summarise(results)]


def test_modality_weights_are_shown_with_the_auc_of_the_unweighted_fusion() -> None:
    results = rows(4)
    text = shown(results, 80)
    lines = text[text.index("Modality weights in calls") :].splitlines()[2:6]
    assert lines[0].split() == ["head", "modalities", "genes", "image", "AUC", "unweighted"]
    first: Any = summarise(results)[0]["auc_mean"]
    assert lines[2].split() == ["spacrd", "image+genes", "50%", "50%", f"{first:.3f}", f"{first / 2:.3f}"]
    assert "Modality weights" not in shown([row for row in results if row.modalities == "genes"], 80)


def test_patients_are_columns_next_to_their_mean() -> None:
    results = rows(3)
    first, text = summarise(results)[0], shown(results, 80)
    cells = text[text.index("AUC by patient") :].splitlines()[4].split()
    by_patient: Any = first["auc_by_patient"]
    assert cells[2:] == [f"{by_patient[patient]:.3f}" for patient in ("P0", "P1", "P2")] + [f"{first['auc_mean']:.3f}"]


def test_more_patients_than_fit_go_into_several_tables_and_none_is_lost() -> None:
    text = shown(rows(20), 80)
    assert "AUC by patient (1 to " in text
    part = text[text.index("AUC by patient (1") : text.index("Means over")]
    assert [f"P{number}" for number in range(20)] == [word for word in part.split() if word.startswith("P")]
    assert max(map(len, text.splitlines())) <= 80


def test_several_seeds_are_columns() -> None:
    assert "AUC by seed" not in shown(rows(3), 120)
    text = shown(rows(3, seeds=2), 120)
    assert text[text.index("AUC by seed") :].splitlines()[2].split() == ["head", "modalities", "0", "1", "mean"]
    assert "mean of 2 seeds" in text


def test_differences_show_the_baseline_the_counts_of_patients_and_the_lowest_patient() -> None:
    results = rows(5)
    text = shown(results, 80)
    baseline = compare_with_baseline(results, "linear")[0]
    cells = text[text.index("AUC minus that of linear on the same patients") :].splitlines()[4].split()
    low = min(baseline.by_patient, key=lambda patient: baseline.by_patient[patient])
    assert baseline.auc_low is not None
    assert baseline.auc_high is not None
    assert cells == [
        "spacrd",
        "image+genes",
        f"{baseline.auc_difference:+.3f}",
        f"{baseline.auc_low:+.3f}",
        f"{baseline.auc_high:+.3f}",
        str(baseline.better),
        str(baseline.worse),
        f"{baseline.lowest:+.3f}",
        low,
    ]
    assert "AUC of both modalities minus that of the better one, by patient" in text


def test_captions_say_that_intervals_are_rough_and_which_f1_uses_the_labels() -> None:
    text = " ".join(shown(rows(3), 80).split())
    assert "these are rough." in text
    assert "uses the test labels" in text


def test_a_long_label_is_folded_and_no_figure_is_cut() -> None:
    label = "spacrd+attention=false+reconstruction=false+hidden=[64]"
    text = shown(rows(3, heads=(label, "linear")), 80)
    assert "…" not in text
    assert "[64]" in text, "a label is no markup"
    assert max(map(len, text.splitlines())) <= 80


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    results = rows(1, heads=("linear",))
    same = [row.model_copy(update={"head": "twin", "auc": (row.auc or 0.0) - 1e-5}) for row in results]
    text = shown([*same, *results], 120)
    assert "+0.000" in text
    assert "-0.000" not in text


@pytest.mark.parametrize("note", ["", "one class only: no AUC"])
def test_notes_name_their_sections_below_the_table(note: str) -> None:
    lines = shown(rows(2, note=note), 80).splitlines()
    assert (f"{note} (P0s, P1s)" in map(str.strip, lines[:10])) == bool(note)


def test_long_names_of_patients_and_sections_keep_one_line_and_differ() -> None:
    long = "Hospital-Nord_2024-03_block-{0}_section-007_HE"
    results = [
        row.model_copy(update={"patient": f"Müller-Lüdenscheidt_{row.patient}", "section": long.format(row.section)})
        for row in rows(6, note="one class only: no AUC")
    ]
    text = shown(results, 80)
    assert max(map(len, text.splitlines())) <= 80
    sections = [line for line in text.splitlines()[4:10] if line]
    assert len(sections) == len({line.split()[1] for line in sections}) == 6
    assert "not shown: F1*" in text
    assert "AUC by patient (5 to 6)" in text
