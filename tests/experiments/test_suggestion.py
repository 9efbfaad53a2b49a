"""How much few corrected spots of a new patient give: those that are suggested, beside random ones.

``pytest -m slow -s tests/experiments/test_suggestion.py`` prints the tables. Every patient is held out in turn. Of each
of its sections, k labelled spots are added to the training on the other patients, and the AUC of the other spots is
compared: before and after, and between suggested and random spots, where neither are counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from spacrd_cli.main import run
from spacrd_core.cohort.section_data import UNKNOWN, SectionData, load_sections
from spacrd_core.detection.predict import predict
from spacrd_core.devices import one_thread
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.reading import read_by_prior
from spacrd_core.plugins import Plugins
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_training_evidence
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import silent
from spacrd_core.store.store import SpotStore
from spacrd_core.suggestion.choose import choose_spread
from spacrd_core.suggestion.reasons import reasons

pytestmark = [pytest.mark.slow, pytest.mark.her2st]
CPU = torch.device("cpu")
COUNTS, DRAWS = (5, 10, 20, 40), 3
COHORTS = {"genes": "", "fused": "stain"}  # six patients by genes; three patients, eight sections, by both


def read_cohort(name: str, her2st: Path, folder: Path, plugins: Plugins) -> list[SectionData]:
    encoder = COHORTS[name]
    assert run(["ingest", str(folder), "--cohort", str(her2st / f"cohort_{name}.csv"), "-q"]) == 0
    if encoder:
        assert run(["embed", str(folder), "--encoder", encoder, "-q"]) == 0
    store = SpotStore.open(folder)
    entries = store.choose()
    stain_key = embed_staining(store, entries, device="cpu", plugins=plugins, track=silent) if encoder else ""
    loaded = load_sections(store, entries, encoder=encoder, stain_key=stain_key)
    return [with_training_evidence(section, carcinoma()) for section in loaded]


def trained(sections: list[SectionData], head: str, plugins: Plugins, *, calibrate: bool) -> CalibratedEnsemble:
    with one_thread():
        options = TrainOptions(head=head, seeds=1, calibrate=calibrate)
        return train_calibrated(sections, options, heads=plugins.heads, device=CPU)


def called(detector: CalibratedEnsemble, section: SectionData) -> pd.DataFrame:
    prepared = detector.ensemble.prepare(section)
    return predict(detector.ensemble, detector.calibrations, prepared, prior=detector.prior)


def with_labels(section: SectionData, spots: np.ndarray) -> SectionData:
    """The section with the labels of some spots alone."""
    labels = np.full(len(section.labels), UNKNOWN)
    labels[spots] = section.labels[spots]
    return replace(section, labels=labels, mixtures=())


def suggested(section: SectionData, calls: pd.DataFrame, known: np.ndarray, count: int) -> np.ndarray:
    own = read_by_prior(section, PriorOptions()).probability
    scores = reasons(calls, calls.attrs["called"]["threshold"], own)["score"].to_numpy()
    return known[choose_spread(scores[known], section.xy_um[known], count, pitch_um=section.pitch_um)]


def auc(section: SectionData, probability: np.ndarray, left_out: np.ndarray) -> float:
    rest = np.setdiff1d(np.flatnonzero(section.labels >= 0), left_out)
    return float(roc_auc_score(section.labels[rest], probability[rest]))


def rows(target: SectionData, sections: list[SectionData], head: str, plugins: Plugins) -> Iterator[dict[str, object]]:
    """The AUC before and after k spots were added, for suggested and random ones."""
    others = [section for section in sections if section.patient != target.patient]
    calls = called(trained(others, head, plugins, calibrate=True), target)
    before, known = calls["probability"].to_numpy(), np.flatnonzero(target.labels >= 0)

    def after(spots: np.ndarray) -> np.ndarray:
        detector = trained([*others, with_labels(target, spots)], head, plugins, calibrate=False)
        return called(detector, target)["probability"].to_numpy()

    for count in COUNTS:
        best = suggested(target, calls, known, count)
        by_best = after(best)
        for draw in range(DRAWS):
            random = np.random.default_rng(draw).permutation(known)[:count]
            by_random, both = after(random), np.union1d(best, random)
            yield {
                "patient": target.patient,
                "section": target.id,
                "spots": count,
                "draw": draw,
                "before": auc(target, before, best),
                "suggested": auc(target, by_best, best),
                "before_random": auc(target, before, random),
                "random": auc(target, by_random, random),
                "suggested_less_random": auc(target, by_best, both) - auc(target, by_random, both),
            }


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Means over draws and sections, then over patients, with the spread between draws."""
    figures = [name for name in found if name not in {"patient", "section", "spots", "draw"}]
    by_draw = found.groupby(["spots", "draw", "patient"])[figures].mean().groupby(["spots", "draw"]).mean()
    means = by_draw.groupby("spots").mean()
    return means.assign(random_sd=by_draw["random"].groupby("spots").std())


@pytest.mark.parametrize("head", ["linear", "spacrd"])
@pytest.mark.parametrize("name", COHORTS)
def test_suggested_spots_give_more_than_random_ones(
    name: str, head: str, her2st: Path, tmp_path: Path, plugins: Plugins
) -> None:
    sections = read_cohort(name, her2st, tmp_path / "store", plugins)
    found = pd.DataFrame([row for target in sections for row in rows(target, sections, head, plugins)])
    table = summary(found)
    print(f"\n{name}, {head}\n{table.round(4).to_string()}")  # noqa: T201 - the table
    if head == "linear":
        assert (table["suggested"] > table["before"]).all()
        assert table["suggested_less_random"].mean() > 0
