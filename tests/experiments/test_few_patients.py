"""Detectors of one, three and five patients, by genes, beside the built-in detector that no patient trained.

``pytest -m slow -s tests/experiments/test_few_patients.py`` prints the table: every subset of the patients trains once,
and is tested on every patient outside it.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from spacrd_cli.main import run
from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.devices import one_thread
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.reading import Reading, read_by_prior, read_section
from spacrd_core.plugins import Plugins
from spacrd_core.prior.lists import carcinoma
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_training_evidence
from spacrd_core.store.store import SpotStore

pytestmark = [pytest.mark.slow, pytest.mark.her2st]
CPU = torch.device("cpu")
LOWEST = {1: 0.903, 3: 0.907, 5: 0.909}  # mean AUC; without the gene lists 0.883, 0.897 and 0.901
WITHOUT_LISTS = {"A1": 0.962, "B1": 0.996, "C1": 0.729, "D1": 0.928, "E1": 0.870, "G2": 0.918}  # of five patients


@pytest.fixture(scope="module")
def sections(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    folder = tmp_path_factory.mktemp("genes") / "store"
    assert run(["ingest", str(folder), "--cohort", str(her2st / "cohort_genes.csv"), "-q"]) == 0
    store = SpotStore.open(folder)
    return [with_training_evidence(section, carcinoma()) for section in load_sections(store, store.choose())]


def auc(reading: Reading, section: SectionData) -> float:
    known = section.labels >= 0
    return float(roc_auc_score(section.labels[known], reading.probability[known]))


def aucs_of(training: list[SectionData], targets: list[SectionData], plugins: Plugins) -> dict[str, float]:
    """The AUC of each target by a detector of the training sections."""
    options = TrainOptions(seeds=1, calibrate=len(training) > 1)
    with one_thread():
        trained = train_calibrated(training, options, heads=plugins.heads, device=CPU)
    prepared = [trained.ensemble.prepare(target) for target in targets]
    readings = [read_section(trained.ensemble, trained.calibrations, each, trained.prior) for each in prepared]
    return {target.id: auc(reading, target) for reading, target in zip(readings, targets, strict=True)}


def by_target(sections: list[SectionData], patients: int, plugins: Plugins) -> dict[str, float]:
    """The mean AUC of each section by the detectors of all subsets of so many other patients."""
    found: dict[str, list[float]] = {section.id: [] for section in sections}
    for training in combinations(sections, patients):
        names = {section.id for section in training}
        targets = [section for section in sections if section.id not in names]
        for name, value in aucs_of(list(training), targets, plugins).items():
            found[name].append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.parametrize("patients", [1, 3, 5])
def test_so_many_patients_are_enough(sections: list[SectionData], patients: int, plugins: Plugins) -> None:
    found = by_target(sections, patients, plugins)
    prior = {section.id: auc(read_by_prior(section, PriorOptions()), section) for section in sections}
    print(f"\n{patients} patients: mean {np.mean(list(found.values())):.4f}", found)  # noqa: T201 - the table
    print("built-in", np.mean(list(prior.values())), prior)  # noqa: T201 - the table
    assert np.mean(list(found.values())) >= LOWEST[patients]
    assert np.mean(list(found.values())) >= np.mean(list(prior.values())) - 0.01
    if patients == 5:
        assert all(found[name] >= before - 0.01 for name, before in WITHOUT_LISTS.items())
