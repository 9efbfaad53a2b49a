"""What a notebook may get wrong: each is refused with a sentence, none is computed as something else."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import CopyOf, MakeSection

from spacrd_core import (
    CohortOptions,
    Detector,
    Settings,
    SpotStore,
    TrainOptions,
    detect,
    embed,
    evaluate,
    train,
    write_results,
)
from spacrd_core.errors import InputError, SpacrdError, TrainingError, UnknownSection
from spacrd_core.ingestion.checks import check_section
from spacrd_core.model.decision import DecisionRule
from spacrd_core.model.thresholds import ThresholdRule
from spacrd_core.section.section import Source
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.write import add_section


@pytest.fixture
def store(make_section: MakeSection, copy_of: CopyOf) -> SpotStore:
    """Two labelled sections of two patients, genes alone."""

    def two_sections(path: Path) -> None:
        store = SpotStore.create(str(path))
        for seed, name in enumerate(("S1", "S2")):
            section, checks = check_section(make_section(seed, image=False))
            add_section(store, section, SectionKey(name, name, f"made{seed}"), checks=asdict(checks))

    return SpotStore.open(copy_of(two_sections))


@pytest.fixture
def detector(store: SpotStore) -> Detector:
    return train(store, TrainOptions(head="linear", seeds=1), encoder=None)


def with_cancer_fraction(fraction: float) -> TrainOptions:
    return TrainOptions(cohort=CohortOptions(cancer_fraction=fraction))


WRONG: dict[str, tuple[Callable[[SpotStore], Any], str, str]] = {
    "neither": (
        lambda store: evaluate(store, encoder=None, genes=False),
        "neither an encoder nor genes",
        "name an encoder",
    ),
    "by": (
        lambda store: evaluate(store, "linear", encoder=None, by="patients"),  # type: ignore[arg-type]
        "cannot hold out by 'patients'",
        "by=patient or section",
    ),
    "no head": (
        lambda store: evaluate(store, [], encoder=None),
        "at least one head and one seed",
        "at least one of each",
    ),
    "one head twice": (
        lambda store: evaluate(store, ["linear", "linear"], encoder=None),
        "several heads are named linear",
        "HeadOptions(..., label=...)",
    ),
    "two label definitions": (
        lambda store: evaluate(store, ["linear", with_cancer_fraction(0.1)], encoder=None),
        "different cancer_fraction values",
        "one cohort.cancer_fraction",
    ),
    "alpha": (lambda _: DecisionRule(alpha=2), "alpha must be between 0 and 1, not 2", "alpha=0.1"),
    "rule": (
        lambda store: detect(store, "detector", threshold="maybe"),
        "unknown threshold rule 'maybe'",
        "prevalence=P",
    ),
    "rule's name": (
        lambda _: ThresholdRule("0.5"),
        "unknown threshold rule '0.5'",
        "ThresholdRule.parse('0.5')",
    ),
    "batches": (lambda _: Settings(batch_size=0), "batch_size must be 1 or more, not 0", "batch_size=64"),
    "section": (
        lambda store: train(store, encoder=None, sections="S"),
        "no section 'S'",
        "S1, S2",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_an_error_with_a_hint(mistake: str, store: SpotStore) -> None:
    make, phrase, hint = WRONG[mistake]
    with pytest.raises(SpacrdError) as caught:
        make(store)
    assert phrase in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.slow
def test_one_section_under_two_patients_is_refused(make_section: MakeSection, tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "store")
    (tmp_path / "counts").write_text("the same")
    for name in ("S1", "S2"):
        section, checks = check_section(make_section(0, image=False))
        section = replace(section, sources=(Source.from_path("counts", tmp_path / "counts"),))
        add_section(store, section, SectionKey(name, f"patient {name}", f"made{name}"), checks=asdict(checks))
    with pytest.raises(TrainingError) as caught:
        train(store, "linear", encoder=None)
    assert "sections 'S1' and 'S2' have the same counts but belong to different patients" in str(caught.value)
    assert "--exclude S2" in caught.value.hint


@pytest.mark.slow
def test_another_encoder_that_was_used_is_offered(make_section: MakeSection, tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "store")
    section, checks = check_section(make_section(0))
    add_section(store, section, SectionKey("S1", "P1", "made"), checks=asdict(checks))
    embed(store, "stain", settings=Settings(device="cpu"))
    with pytest.raises(UnknownSection) as caught:
        train(store, "linear", encoder="uni")
    assert f"spacrd embed {store.path} --encoder uni" in caught.value.hint
    assert "--encoder stain" in caught.value.hint


@pytest.mark.slow
def test_one_section_may_be_named_without_a_list_and_no_section_is_none(store: SpotStore, detector: Detector) -> None:
    assert list(detect(store, detector, sections="S2")) == ["S2"]
    assert list(detect(store, detector)) == ["S1", "S2"]
    assert detect(store, detector, sections=[]) == {}
    assert list(detect(store, detector, exclude="S2")) == ["S1"]


def test_a_head_may_be_named_alone_and_no_encoder_as_on_the_command_line(store: SpotStore) -> None:
    detector = train(store, "linear", encoder="none")
    assert (detector.config.head, detector.config.modalities) == ("linear", "genes")


@pytest.mark.slow
def test_results_are_written_of_tables_as_detect_gave_them(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    detector.save(tmp_path / "detector")
    tables = detect(store, tmp_path / "detector", sections="S2")
    assert write_results(store, str(tmp_path / "detector"), tables, tmp_path / "results")
    stored, _ = store.predictions("S2")
    assert write_results(store, detector, {"S2": stored}, tmp_path / "results")


@pytest.mark.slow
def test_a_table_that_lost_how_it_was_called_is_not_written(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    table = detect(store, detector, sections="S2")["S2"]
    table.attrs.clear()  # as pandas does when tables are joined
    with pytest.raises(InputError) as caught:
        write_results(store, detector, {"S2": table}, tmp_path / "results")
    assert "'S2' no longer records its detector" in str(caught.value)
    assert "store.predictions('S2')" in str(caught.value.hint)


@pytest.mark.slow
def test_a_table_is_not_written_as_if_another_detector_had_made_it(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    tables = detect(store, detector, sections="S2")
    other = train(store, TrainOptions(head="linear", seeds=1, first_seed=7), encoder=None)
    with pytest.raises(InputError) as caught:
        write_results(store, other, tables, tmp_path / "results")
    assert f"called by detector {detector.config.key}" in str(caught.value)
    assert other.config.key in str(caught.value)
    assert "pass the detector that made the calls" in caught.value.hint


def test_a_table_without_its_section_is_refused(store: SpotStore, detector: Detector, tmp_path: Path) -> None:
    tables = detect(store, detector, sections="S2")
    with pytest.raises(InputError, match="mapping from section to table"):
        write_results(store, detector, tables["S2"], tmp_path / "results")


@pytest.mark.slow
def test_results_do_not_go_among_the_files_of_a_detector(store: SpotStore, detector: Detector, tmp_path: Path) -> None:
    detector.save(tmp_path / "detector")
    tables = detect(store, detector, sections="S2")
    with pytest.raises(InputError) as caught:
        write_results(store, detector, tables, tmp_path / "detector")
    assert "is a detector; other files must not be mixed with it" in str(caught.value)
    assert caught.value.hint == "name another place"
