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
from experiments.scanners import MILD, OLD, STRONG
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
SCANNERS = {HOME: lambda picture: picture, **MILD, **STRONG}
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
class Scanned:
    """A section by one scanner; ``image`` of ``section`` is as embedded by default, ``normalised`` with that option."""

    section: SectionData
    normalised: Array

    @property
    def steady(self) -> SectionData:
        """The section without the features that change their sign."""
        image, recipe = self.section.image, self.section.recipe
        assert image is not None
        assert recipe is not None
        return replace(self.section, image=image[:, STEADY], recipe=replace(recipe, dim=len(STEADY)))

    @property
    def prior(self) -> Array:
        """How far every spot is in the direction that tumour has in any laboratory: cellular, and dense in nuclei."""
        section = self.section
        indices, present = neighbours(section.xy_um, k=9, radius_um=1.6 * section.pitch_um)
        value = standardised(self.normalised[:, TISSUE_AND_NUCLEI]).mean(axis=1)
        return np.asarray((value[indices] * present).sum(axis=1) / present.sum(axis=1))

    def auc(self, score: Array) -> float:
        known = self.section.labels >= 0
        return float(roc_auc_score(self.section.labels[known], score[known]))


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
    return {
        scanner: [
            Scanned(section, np.asarray(other.image))
            for section, other in zip(raw[scanner], normalised[scanner], strict=True)
        ]
        for scanner in SCANNERS
    }


def measure(scanned: Mapping[str, list[Scanned]], plugins: Plugins, *, travelling: bool) -> Aucs:
    """The AUC for every direction and scanner: the mean over patients of the mean over a patient's sections.

    ``travelling`` gates the detector, and trains it on the features that do not change their sign.
    """

    def image(one: Scanned) -> SectionData:
        return one.steady if travelling else one.section

    @cache
    def train(scanner: str, patient: str) -> Ensemble:
        training = [image(one) for one in scanned[scanner] if one.section.patient != patient]
        return Ensemble.train(
            training,
            head_options=HeadOptions(),
            options=CohortOptions(),
            seeds=(42,),
            heads=plugins.heads,
            device=torch.device("cpu"),
        )

    def auc(seen: str, target: str, patient: str) -> float:
        ensemble, found = train(seen, patient), []
        for one in (one for one in scanned[target] if one.section.patient == patient):
            logits = ensemble.score(ensemble.prepare(image(one))).logits["image"].mean(axis=0)
            found.append(one.auc(gated(logits, one.prior) if travelling else logits))
        return float(np.mean(found))

    everyone = patients([one.section for one in scanned[HOME]])
    with one_thread():
        pairs = {("detecting", name): (HOME, name) for name in scanned} | {
            ("training", name): (name, HOME) for name in scanned
        }
        return {key: float(np.mean([auc(*pair, patient) for patient in everyone])) for key, pair in pairs.items()}


def show(what: str, aucs: Aucs) -> None:
    lines = [
        f"{name:20s} " + " ".join(f"{direction} {aucs[direction, name]:.3f}" for direction in DIRECTIONS)
        for name in SCANNERS
    ]
    print(f"\n{what}, AUC with the other scanner in", *lines, sep="\n")  # noqa: T201 - asked for


@pytest.fixture(scope="module")
def today(scanned: dict[str, list[Scanned]], plugins: Plugins) -> Aucs:
    aucs = measure(scanned, plugins, travelling=False)
    show("all features, no gate", aucs)
    return aucs


@pytest.fixture(scope="module")
def travelling(scanned: dict[str, list[Scanned]], plugins: Plugins) -> Aucs:
    aucs = measure(scanned, plugins, travelling=True)
    show("steady features, gated", aucs)
    return aucs


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_mild_change_costs_a_gated_detector_little(travelling: Aucs, direction: str) -> None:
    assert np.mean([travelling[direction, name] for name in MILD]) >= 0.955


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_gated_detector_bears_a_strong_change(travelling: Aucs, direction: str) -> None:
    assert np.mean([travelling[direction, name] for name in STRONG]) >= 0.945


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", SCANNERS)
def test_no_change_breaks_a_gated_detector(travelling: Aucs, name: str, direction: str) -> None:
    assert travelling[direction, name] >= 0.91


def test_at_home_the_gate_and_fewer_features_cost_less_than_01(today: Aucs, travelling: Aucs) -> None:
    assert travelling["detecting", HOME] > today["detecting", HOME] - 0.01


def test_an_old_scanner_costs_a_detector_without_a_gate_a_tenth(today: Aucs) -> None:
    assert min(today[direction, OLD] for direction in DIRECTIONS) <= today["detecting", HOME] - 0.1
