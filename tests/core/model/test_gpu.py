"""Training and scoring on a GPU, against the CPU.

Random numbers differ between devices, and so do dropout and the samples of the reconstruction. Without them, a training
is the same to the precision of its sums; with them, two trainings differ as two seeds do. The CPU compiles slowly, and
does so with ``-m slow`` only.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from core.conftest import MakeData
from gpu import EITHER_DEVICE, present
from sklearn.metrics import roc_auc_score

from spacrd_core.arrays import Array
from spacrd_core.cohort.cohort import Cohort, shuffled
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.model.computation import Computation
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fit import train_steps, with_modality_dropout
from spacrd_core.model.optimiser import AdamW
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.random_stream import RandomStream
from spacrd_core.model.state_dict import ensemble_state
from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SMALL = {"hidden": (16,), "width": 16, "heads": 2, "latent_hidden": (16,), "latent": 4, "learning_rate": 1e-3}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": SMALL | {"preset": "paper"},
    "paper-clean": SMALL | {"preset": "paper-clean"},
}
EVERY_PRESET = pytest.mark.parametrize("options", PRESETS.values(), ids=PRESETS)
FIXED = {"dropout": 0.0, "attention_dropout": 0.0, "reconstruction": False}
SHORT = {"align": 2, "reconstruct": 2, "detect": 6}
# After SHORT, the AUCs of seeds differ by up to 0.8; after LONG, by 0.01.
LONG = {"align": 5, "reconstruct": 5, "detect": 60}
# Of the spread of logits. Adam steps by the sign of a gradient, however small: on a CPU, noise of 1e-6 in the gradients
# moves the logits of the published networks by up to 0.05, and noise of 5e-4 by up to 0.2.
ROUNDING, TF32 = 0.1, 0.5


def trained(
    make_data: MakeData,
    plugins: Plugins,
    device: torch.device,
    options: dict[str, Any],
    epochs: dict[str, int] = SHORT,
    **computation: Any,
) -> Ensemble:
    return Ensemble.train(
        [make_data("A", 1), make_data("B", 2)],
        head_options=HeadOptions(name="spacrd", options=options, epochs=epochs),
        options=CohortOptions(panel_genes=20),
        seeds=(3,),
        heads=plugins.heads,
        device=device,
        computation=Computation(**computation),
    )


def logits(ensemble: Ensemble, section: SectionData) -> dict[str, Array]:
    return ensemble.score(ensemble.prepare(section)).logits


@EITHER_DEVICE
@EVERY_PRESET
def test_a_training_without_random_numbers_is_that_of_the_cpu(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    device, target = present(device_name), make_data("D", 4)
    there, here = (logits(trained(make_data, plugins, place, options | FIXED), target) for place in (device, CPU))
    for modalities, expected in here.items():
        assert np.abs(there[modalities] - expected).max() < ROUNDING * expected.std()


@EITHER_DEVICE
@EVERY_PRESET
def test_a_training_in_tf32_is_nearly_that_in_fp32_and_the_same_on_a_cpu(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    device, target = present(device_name), make_data("D", 4)
    ensemble = trained(make_data, plugins, device, options | FIXED, precision="tf32")
    expected = logits(trained(make_data, plugins, device, options | FIXED), target)
    assert ensemble.precision == ("fp32" if device == CPU else "tf32")
    for modalities, values in logits(ensemble, target).items():
        largest = np.abs(values - expected[modalities]).max()
        assert largest <= (0.0 if device == CPU else TF32 * expected[modalities].std())


@pytest.mark.parametrize(
    "device_name", [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("cuda", marks=pytest.mark.gpu)]
)
@EVERY_PRESET
def test_a_compiled_training_is_that_of_the_cpu(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    device, target = present(device_name), make_data("D", 4)
    there = logits(trained(make_data, plugins, device, options | FIXED, compiled=True), target)
    for modalities, expected in logits(trained(make_data, plugins, CPU, options | FIXED), target).items():
        assert np.abs(there[modalities] - expected).max() < ROUNDING * expected.std()


@pytest.mark.ci_cases(1)
@EITHER_DEVICE
@EVERY_PRESET
def test_a_training_separates_the_classes_as_well_as_on_the_cpu(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    device, target = present(device_name), make_data("D", 4)
    there, here = (logits(trained(make_data, plugins, place, options, LONG), target) for place in (device, CPU))
    aucs = [roc_auc_score(target.labels, values["image+genes"][0]) for values in (there, here)]
    assert abs(aucs[0] - aucs[1]) < 0.03


@EITHER_DEVICE
@EVERY_PRESET
def test_a_detector_of_the_cpu_scores_the_same_on_the_device(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    device, target = present(device_name), make_data("D", 4)
    ensemble = trained(make_data, plugins, CPU, options)
    expected = ensemble.score(ensemble.prepare(target))
    moved = replace(ensemble, heads=tuple(head.to(device) for head in ensemble.heads), device=device)
    scores = moved.score(moved.prepare(target))
    for modalities, values in expected.logits.items():
        assert np.abs(scores.logits[modalities] - values).max() < 1e-3 * values.std()
    assert np.allclose(scores.ood, expected.ood, rtol=1e-2)


@EITHER_DEVICE
@EVERY_PRESET
def test_scoring_twice_gives_the_same_bits(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    ensemble, target = trained(make_data, plugins, present(device_name), options), make_data("D", 4)
    first, second = logits(ensemble, target), logits(ensemble, target)
    assert all(np.array_equal(first[modalities], second[modalities]) for modalities in first)


@EITHER_DEVICE
@EVERY_PRESET
def test_training_twice_gives_the_same_bits_on_a_cpu_and_nearly_so_on_a_gpu(
    make_data: MakeData, plugins: Plugins, device_name: str, options: dict[str, Any]
) -> None:
    """On CUDA, the gradients of shared neighbours are added in any order; Adam takes ten steps of 0.001 by signs."""
    device = present(device_name)
    states = [ensemble_state(trained(make_data, plugins, device, options)) for _ in range(2)]
    largest = max(float((values - states[1][name]).abs().max()) for name, values in states[0].items())
    print(f"\ntwo trainings on {device_name}: weights differ by up to {largest:.2g}")  # noqa: T201
    assert largest <= (0.0 if device == CPU else 0.03)


@pytest.mark.gpu
@EVERY_PRESET
def test_an_epoch_never_waits_for_the_gpu(make_data: MakeData, plugins: Plugins, options: dict[str, Any]) -> None:
    device = present("cuda")
    ensemble = trained(make_data, plugins, device, options)
    head = ensemble.heads[0]
    sections = [ensemble.prepare(make_data(name, seed)) for name, seed in (("A", 1), ("B", 2))]
    cohorts = Cohort.by_modalities(sections, device, head.matrices())
    for phase in head.curriculum():
        optimiser = AdamW(head.parameters(), learning_rate=phase.learning_rate, weight_decay=phase.weight_decay)
        batches = with_modality_dropout(shuffled(cohorts, 32, torch.Generator().manual_seed(0)), phase)
        with RandomStream(0, device):
            torch.cuda.set_sync_debug_mode("error")
            try:
                steps = train_steps(head, batches, phase, optimiser)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        assert steps
