"""A detector and a section by different scanners: trained here and detecting there, and the reverse, by image alone.

``pytest -m slow -s tests/experiments/test_other_scanner.py`` prints the table. Every patient is held out in turn; the
other scanner is planted in the picture of real sections (``scanners.py``), which is then embedded as any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from experiments.rescanned import load_rescanned
from experiments.scanners import DRAWN, MILD, OLD, STRONG
from sklearn.metrics import roc_auc_score

from spacrd_cli.main import run
from spacrd_core.arrays import Array
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData, patients
from spacrd_core.devices import one_thread
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins
from spacrd_core.section.geometry import neighbours
from spacrd_core.store.store import SpotStore
from spacrd_encoders.stain import FEATURES, WINDOWS_UM

pytestmark = [pytest.mark.slow, pytest.mark.her2st]
HOME = "original"
SCANNERS = {HOME: lambda picture: picture, **MILD, **STRONG, **DRAWN}
CHANGE_SIGN = ("eosin", "eosin_contrast", "blueness", "mixing")  # in another laboratory
DIRECTIONS = ("detecting", "training")  # what the other scanner's sections are used for
Aucs = dict[tuple[str, str], float]


def columns(names: tuple[str, ...]) -> Array:
    """Where these features are in an embedding, for every window."""
    features = list(FEATURES)
    return np.array([w * len(features) + features.index(name) for w in range(len(WINDOWS_UM)) for name in names])


STEADY = columns(tuple(name for name in FEATURES if name not in CHANGE_SIGN))
TISSUE_AND_NUCLEI = columns(("tissue", "nuclei"))


@dataclass(frozen=True)
class Detector:
    """A head on ``stain``: on raw or normalised features, all or the steady ones, gated or not."""

    head: str
    normalised: bool
    steady: bool
    gated: bool


TODAY = Detector("spacrd", normalised=False, steady=False, gated=False)
TRAVELLERS = {
    "gated": Detector("spacrd", normalised=False, steady=True, gated=True),
    "normalised": Detector("linear", normalised=True, steady=True, gated=False),
}


@dataclass(frozen=True)
class Scanned:
    """A section by one scanner, embedded as by default and with the staining normalised."""

    raw: SectionData
    normalised: SectionData

    def read_by(self, detector: Detector) -> SectionData:
        """The section with the features that a detector reads."""
        section = self.normalised if detector.normalised else self.raw
        if not detector.steady:
            return section
        assert section.image is not None
        assert section.recipe is not None
        return replace(section, image=section.image[:, STEADY], recipe=replace(section.recipe, dim=len(STEADY)))

    @property
    def prior(self) -> Array:
        """How far every spot is in the direction that tumour has in any laboratory: cellular, and dense in nuclei."""
        image = self.normalised.image
        assert image is not None
        indices, present = neighbours(self.raw.xy_um, k=9, radius_um=1.6 * self.raw.pitch_um)
        value = standardised(image[:, TISSUE_AND_NUCLEI]).mean(axis=1)
        return np.asarray((value[indices] * present).sum(axis=1) / present.sum(axis=1))

    def auc(self, score: Array) -> float:
        known = self.raw.labels >= 0
        return float(roc_auc_score(self.raw.labels[known], score[known]))


def standardised(values: Array) -> Array:
    return np.asarray((values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9))


def gated(logits: Array, prior: Array) -> Array:
    """The detector where it agrees with the prior, the prior where it does not. The product's function goes here."""
    agreement = max(0.0, float(np.corrcoef(logits, prior)[0, 1]))
    return np.asarray(agreement * standardised(logits) + (1 - agreement) * prior)


@pytest.fixture(scope="module")
def scanned(her2st: Path, tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> dict[str, list[Scanned]]:
    folder = tmp_path_factory.mktemp("scanners") / "store"
    assert run(["ingest", str(folder), "--cohort", str(her2st / "cohort_fused.csv"), "-q"]) == 0
    store = SpotStore.open(folder)
    raw, normalised = (
        load_rescanned(store, SCANNERS, plugins.encoders.create("stain", {"normalised": chosen}))
        for chosen in (False, True)
    )
    return {name: [Scanned(*pair) for pair in zip(raw[name], normalised[name], strict=True)] for name in SCANNERS}


def measure(scanned: Mapping[str, list[Scanned]], plugins: Plugins, detector: Detector) -> Aucs:
    """The AUC for every direction and scanner: the mean over patients of the mean over a patient's sections."""

    @cache
    def train(scanner: str, patient: str) -> Ensemble:
        return Ensemble.train(
            [one.read_by(detector) for one in scanned[scanner] if one.raw.patient != patient],
            head_options=HeadOptions(name=detector.head),
            options=CohortOptions(),
            seeds=(42,),
            heads=plugins.heads,
            device=torch.device("cpu"),
        )

    def auc(seen: str, target: str) -> float:
        return float(np.mean([auc_of(patient, seen, target) for patient in everyone]))

    def auc_of(patient: str, seen: str, target: str) -> float:
        ensemble, found = train(seen, patient), []
        for one in (one for one in scanned[target] if one.raw.patient == patient):
            logits = ensemble.score(ensemble.prepare(one.read_by(detector))).logits["image"].mean(axis=0)
            found.append(one.auc(gated(logits, one.prior) if detector.gated else logits))
        return float(np.mean(found))

    everyone = patients([one.raw for one in scanned[HOME]])
    with one_thread():
        detecting = {("detecting", name): auc(HOME, name) for name in scanned}
        return detecting | {("training", name): auc(name, HOME) for name in scanned}


def show(detector: Detector, aucs: Aucs) -> None:
    lines = [
        f"{name:20s} " + " ".join(f"{direction} {aucs[direction, name]:.3f}" for direction in DIRECTIONS)
        for name in SCANNERS
    ]
    print(f"\n{detector}, AUC with the other scanner in", *lines, sep="\n")  # noqa: T201 - asked for


@pytest.fixture(scope="module")
def today(scanned: dict[str, list[Scanned]], plugins: Plugins) -> Aucs:
    aucs = measure(scanned, plugins, TODAY)
    show(TODAY, aucs)
    return aucs


@pytest.fixture(scope="module", params=TRAVELLERS)
def travelling(scanned: dict[str, list[Scanned]], plugins: Plugins, request: pytest.FixtureRequest) -> Aucs:
    detector = TRAVELLERS[request.param]
    aucs = measure(scanned, plugins, detector)
    show(detector, aucs)
    return aucs


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_mild_change_costs_little(travelling: Aucs, direction: str) -> None:
    assert np.mean([travelling[direction, name] for name in MILD]) >= 0.955


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_strong_change_is_borne(travelling: Aucs, direction: str) -> None:
    assert np.mean([travelling[direction, name] for name in STRONG]) >= 0.945


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_no_change_breaks_a_travelling_detector(travelling: Aucs, direction: str) -> None:
    assert min(travelling[direction, name] for name in (*MILD, *STRONG)) >= 0.91


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_scanners_at_random_cost_less_than_they_cost_today(today: Aucs, travelling: Aucs, direction: str) -> None:
    after, before = (np.mean([aucs[direction, name] for name in DRAWN]) for aucs in (travelling, today))
    assert after >= 0.93
    assert after > before


def test_at_home_it_costs_less_than_01(today: Aucs, travelling: Aucs) -> None:
    assert travelling["detecting", HOME] > today["detecting", HOME] - 0.01


def test_an_old_scanner_costs_todays_detector_a_tenth(today: Aucs) -> None:
    assert min(today[direction, OLD] for direction in DIRECTIONS) <= today["detecting", HOME] - 0.1
