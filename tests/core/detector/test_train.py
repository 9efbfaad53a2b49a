"""Which sections a detector is trained on, and which patients are held out together."""

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core import SpotStore
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.detector.load_sections import load_training_sections
from spacrd_core.detector.model_card import model_card
from spacrd_core.detector.train import train
from spacrd_core.errors import TrainingError
from spacrd_core.executors.serial import Serial
from spacrd_core.model.calibrated_ensemble import TrainingEvent, TrainOptions
from spacrd_core.model.folds import deal
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import Section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section


def with_unknown_genes(section: Section) -> Section:
    """The section as if its genes had been numbered."""
    counts = section.counts.copy()
    counts.var["symbol"] = counts.var_names = [f"row{number}" for number in range(counts.n_vars)]
    return replace(section, counts=counts)


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """Two sections of real genes and one of unknown genes."""
    store = SpotStore.create(tmp_path / "store")
    for seed, name in enumerate("ABC"):
        section = make_section(seed, image=False)
        section = with_unknown_genes(section) if name == "B" else section
        add_section(store, section, SectionKey(name, name, f"made-{name}"))
    return store


@pytest.mark.slow
def test_a_section_of_unknown_genes_is_refused_by_name(store: SpotStore) -> None:
    with pytest.raises(TrainingError) as caught:
        train(store, encoder=None, device="cpu")
    assert "almost no gene name is known (HGNC, Ensembl or mouse) in 'B', 0 of 40 (row0, row1, row10, ...)" in str(
        caught.value
    )
    assert "--exclude" in caught.value.hint
    assert "--set cohort.unknown_genes=true" in caught.value.hint


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("allowed", "excluded"), [(True, ()), (False, ("B",))])
def test_unknown_genes_are_read_if_asked_for_and_do_no_harm_if_left_out(
    store: SpotStore, plugins: Plugins, *, allowed: bool, excluded: tuple[str, ...]
) -> None:
    options = TrainOptions(cohort=CohortOptions(unknown_genes=allowed))
    entries = store.choose(None, excluded)
    loaded = load_training_sections(
        store, entries, options, encoder="", genes=True, device="cpu", plugins=plugins, track=lambda items, *_: items
    )
    assert [section.id for section in loaded] == ["A", "C"] if excluded else ["A", "B", "C"]


@pytest.fixture
def patients(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """One section of each of four patients."""
    store = SpotStore.create(tmp_path / "patients")
    for seed, name in enumerate("ABCD"):
        add_section(store, make_section(seed, image=False), SectionKey(name, name, f"made-{name}"))
    return store


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("executor", [None, Serial()], ids=["here", "as tasks"])
def test_patients_are_held_out_in_as_many_groups_as_asked_for(patients: SpotStore, executor: Serial | None) -> None:
    events: list[TrainingEvent] = []
    options = TrainOptions(head="linear", seeds=1, folds=2)
    detector = train(patients, options, encoder=None, device="cpu", executor=executor, on_event=events.append)
    groups = deal("ABCD", 2, seed=42)
    assert detector.metrics["held_out_together"] == [[*group] for group in groups]
    assert [event.stage for event in events] == [f"without {', '.join(group)}" for group in groups]
    assert {*detector.metrics["held_out"]} == {*"ABCD"}
    assert "and in one of 2 groups of patients" in " ".join(model_card(detector.config, detector.metrics).split())


@pytest.mark.slow
def test_below_ten_patients_each_is_held_out_alone(patients: SpotStore) -> None:
    detector = train(patients, TrainOptions(head="linear", seeds=1), encoder=None, device="cpu")
    assert detector.metrics["held_out_together"] == [[*"A"], [*"B"], [*"C"], [*"D"]]
    assert "groups of patients" not in model_card(detector.config, detector.metrics)
