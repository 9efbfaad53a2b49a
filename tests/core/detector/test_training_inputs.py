"""The checksum of what a training depends on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import Install
from core.conftest import MakeData
from scipy import sparse

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.training_inputs import code_sha256, digest, training_facts
from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.plugins import Plugins, Registry, load_plugins

CPU = torch.device("cpu")


@pytest.fixture
def section(make_data: MakeData) -> SectionData:
    return make_data("A", 1)


def test_equal_sections_have_one_checksum(make_data: MakeData) -> None:
    assert digest([make_data("A", 1)]) == digest([make_data("A", 1)])


def test_every_part_of_a_section_counts(section: SectionData) -> None:
    assert section.expression is not None
    assert section.image is not None
    image = section.image.copy()
    image[3, 1] += 1e-6
    values = section.expression.values.copy()
    values.data[5] += 1e-6
    labels = section.labels.copy()
    labels[0] = 1 - labels[0]
    others = [
        replace(section, image=image),
        replace(section, image=None),
        replace(section, labels=labels),
        replace(section, patient="B"),
        replace(section, xy_um=section.xy_um[::-1]),
        replace(section, expression=replace(section.expression, values=values)),
        replace(section, expression=replace(section.expression, symbols=section.expression.symbols[::-1])),
    ]
    assert len({digest(each) for each in (section, *others)}) == len(others) + 1


def test_values_that_read_alike_differ() -> None:
    values = (
        *(["ab", "c"], ["a", "bc"], ["abc"], [["ab"], "c"], None, "None", 1, 1.0, True, "1", b"1"),
        *(np.zeros(4), np.zeros((2, 2)), np.zeros(4, np.float32), np.zeros(8, np.float32), sparse.csr_array((2, 2))),
    )
    assert len({digest(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", [object(), np.array([object()]), {"a": [lambda: 1]}])
def test_what_cannot_be_told_apart_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no checksum"):
        digest(value)


def test_an_option_that_is_given_counts_if_the_head_has_another_default(plugins: Plugins) -> None:
    usual, given = (
        training_facts(TrainOptions(head="spacrd", cohort=cohort), plugins.heads, CPU, here=True)
        for cohort in (CohortOptions(), CohortOptions(gene_factors=0))
    )
    assert usual["options"] == given["options"]
    assert digest(usual) != digest(given)


def test_the_code_of_a_plugin_counts(install: Install) -> None:
    install("mylab")
    heads = load_plugins().heads
    facts = {name: training_facts(TrainOptions(head=name), heads, CPU, here=True) for name in ("linear", "neighbours")}
    assert facts["neighbours"]["plugin"].startswith("mylab")
    assert facts["linear"]["code"] == (code_sha256(heads.load("spacrd")), code_sha256(Registry))
    assert facts["linear"]["code"] != facts["neighbours"]["code"]
