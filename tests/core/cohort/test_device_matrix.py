"""Products that a device computes are those of the host, and so is what is fitted with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData
from gpu import EITHER_DEVICE, present
from scipy import sparse
from stand_ins.device import CUDA, absent_device

from spacrd_core.arrays import Array
from spacrd_core.cohort import gene_rows, neighbourhood_means
from spacrd_core.cohort.device_matrix import DeviceMatrix, on_device
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_fusion.components import PrincipalComponents
from spacrd_fusion.linear_expert import LinearExpert

CPU = torch.device("cpu")
COUNTS = sparse.random(40, 30, density=0.2, format="csr", random_state=0, dtype=np.float32)
MATRICES = pytest.mark.parametrize("matrix", [COUNTS, COUNTS.toarray()], ids=["sparse", "dense"])
OPTIONS = CohortOptions(panel_genes=20, gene_centring=True, gene_factors=5)


@EITHER_DEVICE
@MATRICES
def test_products_are_those_of_the_host(matrix: Array, device_name: str) -> None:
    there = DeviceMatrix.of(matrix, present(device_name))
    rng = np.random.default_rng(0)
    right, left = (rng.normal(size=(size, 7)).astype(np.float32) for size in (30, 40))
    assert there @ right == pytest.approx(matrix @ right, abs=1e-5)
    assert there.T @ left == pytest.approx(matrix.T @ left, abs=1e-5)
    assert (there.shape, there.T.shape) == ((40, 30), (30, 40))


@MATRICES
def test_a_cpu_multiplies_by_the_matrix_itself(matrix: Array) -> None:
    assert on_device(matrix, CPU) is matrix
    assert on_device(matrix, torch.device("mps")) is matrix


@pytest.mark.parametrize(("free", "moved"), [(10**6, True), (5000, False)])
def test_a_matrix_moves_to_a_gpu_if_it_fits_the_memory(
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    moved: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 10**9))
    with absent_device(constants=True):
        assert isinstance(on_device(COUNTS, CUDA), DeviceMatrix) == moved


@MATRICES
def test_a_product_stays_on_the_device(matrix: Array) -> None:
    with absent_device(constants=True):
        there = DeviceMatrix.of(matrix, CUDA)
        assert there.product(torch.empty(30, 7, device=CUDA)).device == CUDA
        assert there.transposed_product(torch.empty(40, 7, device=CUDA)).device == CUDA


@EITHER_DEVICE
def test_factors_components_and_expert_are_the_same(
    make_data: MakeData, monkeypatch: pytest.MonkeyPatch, device_name: str
) -> None:
    device = present(device_name)
    sections = [make_data(patient, number) for number, patient in enumerate("ABC", start=1)]
    sections[1] = replace(sections[1], image=None, image_coverage=None, recipe=None)
    here = fitted(Preprocessor.fit_transform(sections, OPTIONS), CPU)
    for module in (gene_rows, neighbourhood_means):  # a CPU would not move its matrices
        monkeypatch.setattr(module, "on_device", lambda matrix, _: DeviceMatrix.of(matrix, device))
    there = fitted(Preprocessor.fit_transform(sections, OPTIONS, device=device), device)
    for name, expected in here.items():
        largest = float(np.abs(expected).max())
        assert largest > 0, name
        assert there[name] == pytest.approx(expected, abs=1e-3 * largest), name


def fitted(prepared: tuple[Preprocessor, list[PreparedSection]], device: torch.device) -> dict[str, Array]:
    """What a training fits by products: up to the signs of axes, which projections do not have."""
    preprocessor, sections = prepared
    assert preprocessor.factors is not None
    loadings = preprocessor.factors.loadings
    found = {"factors": loadings @ loadings.T}
    for name, training in TrainingSpots.by_modality(sections, device).items():
        components = PrincipalComponents(training.means.shape[1], components=3)
        components.fit(training)
        found[name] = (components.axes @ components.axes.T).numpy()
        if name == "genes":
            expert = LinearExpert(training.means.shape[1])
            expert.fit(training)
            found["expert"] = expert.direction.numpy()
    return found
