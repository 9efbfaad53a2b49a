"""What a notebook may get wrong: each is refused with a sentence, none is computed as something else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from spacrd_core import (
    Calling,
    CohortOptions,
    Detector,
    Settings,
    SpotStore,
    ThresholdRule,
    TrainOptions,
    detect,
    embed,
    evaluate,
    train,
    write_results,
)
from spacrd_core.errors import InputError, SpacrdError, TrainingError, UnknownSection
from spacrd_core.ingestion.checks import check_section
from spacrd_core.section.section import Source
from spacrd_core.store.write import Ticket, add_section

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MakeSection


@pytest.fixture
def store(make_section: MakeSection, tmp_path: Path) -> SpotStore:
    """Two labelled sections of two patients, genes alone."""
    store = SpotStore.create(str(tmp_path / "store"))
    for seed, name in enumerate(("S1", "S2")):
        section, checks = check_section(make_section(seed, image=False))
        add_section(store, section, Ticket(name, name, f"made{seed}"), checks=checks)
    return store


@pytest.fixture
def detector(store: SpotStore) -> Detector:
    return train(store, TrainOptions(head="linear", seeds=1), encoder=None)


def some(fraction: float) -> TrainOptions:
    return TrainOptions(cohort=CohortOptions(cancer_fraction=fraction))


WRONG: dict[str, tuple[Callable[[SpotStore], Any], str, str]] = {
    "neither": (
        lambda store: evaluate(store, encoder=None, genes=False),
        "neither image nor genes are to be read",
        "name an encoder, or read genes",
    ),
    "by": (
        lambda store: evaluate(store, "linear", encoder=None, by="patients"),  # type: ignore[arg-type]
        "'patients' cannot be held out",
        "by=patient or section",
    ),
    "no head": (
        lambda store: evaluate(store, [], encoder=None),
        "there is nothing to evaluate without a head and a seed",
        "name one of each at least",
    ),
    "one head twice": (
        lambda store: evaluate(store, ["linear", "linear"], encoder=None),
        "several heads are called linear",
        "HeadChoice(..., label=...) tells them apart",
    ),
    "two truths": (
        lambda store: evaluate(store, ["linear", some(0.1)], encoder=None),
        "heads that take different shares of cancer as cancer have different truths",
        "one cohort.cancer_fraction for all",
    ),
    "alpha": (lambda _: Calling(alpha=2), "alpha lies between 0 and 1, it cannot be 2", "alpha=0.1"),
    "rule": (
        lambda _: Calling("gmm"),  # type: ignore[arg-type]
        "a calling has a ThresholdRule, not 'gmm'",
        "ThresholdRule.parse('gmm')",
    ),
    "rule's name": (
        lambda _: ThresholdRule("0.5"),
        "'0.5' is no kind of threshold rule: own, fixed, gmm, prevalence",
        "ThresholdRule.parse('0.5') reads what a user writes",
    ),
    "batches": (lambda _: Settings(batch_size=0), "batch_size must be 1 or more, not 0", "batch_size=64"),
    "section": (
        lambda store: train(store, encoder=None, sections="S"),
        "the store {store} has no section 'S'",
        "it has: S1, S2",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_told(mistake: str, store: SpotStore) -> None:
    do, says, hint = WRONG[mistake]
    with pytest.raises(SpacrdError) as caught:
        do(store)
    assert (str(caught.value), caught.value.hint) == (says.format(store=store.path), hint)


def test_one_section_under_two_patients_is_refused(make_section: MakeSection, tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "store")
    (tmp_path / "counts").write_text("the same")
    for name in ("S1", "S2"):
        section, checks = check_section(make_section(0, image=False))
        section = replace(section, sources=(Source.of("counts", tmp_path / "counts"),))
        add_section(store, section, Ticket(name, f"patient {name}", f"made{name}"), checks=checks)
    with pytest.raises(TrainingError) as caught:
        train(store, "linear", encoder=None)
    assert str(caught.value) == (
        "sections 'S1' and 'S2' have the same counts, but stand for the patients patient S1 and patient S2"
    )
    assert caught.value.hint == "--exclude S2 in spacrd train, or name the sections with --section"


def test_an_encoder_that_was_not_asked_for_is_offered(make_section: MakeSection, tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "store")
    section, checks = check_section(make_section(0))
    add_section(store, section, Ticket("S1", "P1", "made"), checks=checks)
    embed(store, "stain", settings=Settings(device="cpu"))
    with pytest.raises(UnknownSection) as caught:
        train(store, "linear", encoder="uni")
    assert caught.value.hint == f"spacrd embed {store.path} --encoder uni, or --encoder stain, which it has"


def test_one_section_may_be_named_without_a_list_and_no_section_is_none(store: SpotStore, detector: Detector) -> None:
    assert list(detect(store, detector, sections="S2")) == ["S2"]
    assert list(detect(store, detector)) == ["S1", "S2"]
    assert detect(store, detector, sections=[]) == {}
    assert list(detect(store, detector, exclude="S2")) == ["S1"]


def test_a_head_may_be_named_alone_and_no_encoder_as_on_the_command_line(store: SpotStore) -> None:
    detector = train(store, "linear", encoder="none")
    assert (detector.config.head, detector.config.modalities) == ("linear", "genes")


def test_results_are_written_of_tables_as_detect_gave_them(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    detector.save(tmp_path / "detector")
    tables = detect(store, tmp_path / "detector", sections="S2")
    assert write_results(store, str(tmp_path / "detector"), tables, tmp_path / "results")
    stored, _ = store.predictions("S2")
    assert write_results(store, detector, {"S2": stored}, tmp_path / "results")


def test_a_table_that_lost_how_it_was_called_is_not_written(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    table = detect(store, detector, sections="S2")["S2"]
    table.attrs.clear()  # as pandas does when tables are joined
    with pytest.raises(InputError) as caught:
        write_results(store, detector, {"S2": table}, tmp_path / "results")
    assert str(caught.value) == "the table of section 'S2' has lost by which detector and threshold it was called"
    assert caught.value.hint == "pass it as detect gave it, or as store.predictions('S2') does"


def test_a_table_is_not_written_as_if_another_detector_had_made_it(
    store: SpotStore, detector: Detector, tmp_path: Path
) -> None:
    tables = detect(store, detector, sections="S2")
    other = train(store, TrainOptions(head="linear", seeds=1, first_seed=7), encoder=None)
    with pytest.raises(InputError) as caught:
        write_results(store, other, tables, tmp_path / "results")
    made, given = detector.config.key, other.config.key
    assert str(caught.value) == f"section 'S2' was called by detector {made}, not by {given}"
    assert caught.value.hint == "pass the detector that made the calls"


def test_a_table_alone_is_asked_for_its_section(store: SpotStore, detector: Detector, tmp_path: Path) -> None:
    tables = detect(store, detector, sections="S2")
    with pytest.raises(InputError, match="tables go by section"):
        write_results(store, detector, tables["S2"], tmp_path / "results")  # type: ignore[arg-type]


def test_results_do_not_go_among_the_files_of_a_detector(store: SpotStore, detector: Detector, tmp_path: Path) -> None:
    detector.save(tmp_path / "detector")
    tables = detect(store, detector, sections="S2")
    with pytest.raises(InputError) as caught:
        write_results(store, detector, tables, tmp_path / "detector")
    assert str(caught.value) == f"{tmp_path / 'detector'} holds a detector, which results would be mixed with"
    assert caught.value.hint == "name another folder"
