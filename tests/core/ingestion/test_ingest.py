"""Ingestion: what comes into the store, what changes nothing, and what is refused."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from spacrd_core.errors import ConfigError, InputError, MissingFile, SectionExists, UnrecognisedSection
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.ingest import ingest, ingest_section
from spacrd_core.ingestion.ingest_all import ingest_all
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.plugins import Plugins
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify


def with_(section: IngestOptions, **changes: object) -> IngestOptions:
    return section.model_copy(update=changes)


def test_a_section_comes_in_with_its_labels_and_patient(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    done = ingest_section(store, sections[0], plugins)
    assert done.status == "added"
    assert (done.entry.id, done.entry.patient, done.entry.platform) == ("S1", "P1", "st")
    assert 0 < done.entry.cancer < done.entry.labelled < done.entry.spots
    assert {source.role for source in done.entry.sources} == {"counts", "positions", "labels"}


def test_the_same_input_twice_changes_nothing(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    ingest_section(store, sections[0], plugins)
    before = (store.path / "spacrd.json").read_bytes()
    assert ingest_section(store, sections[0], plugins).status == "unchanged"
    assert (store.path / "spacrd.json").read_bytes() == before


def test_another_section_of_the_same_name_is_refused_and_the_store_is_as_it_was(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    ingest_section(store, sections[0], plugins)
    before = (store.path / "spacrd.json").read_bytes()
    with pytest.raises(SectionExists, match="already has a different section 'S1'") as caught:
        ingest_section(store, with_(sections[1], name="S1"), plugins)
    assert "--replace" in caught.value.hint
    assert (store.path / "spacrd.json").read_bytes() == before


def test_replace_supersedes_a_section(store: SpotStore, sections: list[IngestOptions], plugins: Plugins) -> None:
    ingest_section(store, sections[0], plugins)
    done = ingest_section(store, with_(sections[1], name="S1"), plugins, replace=True)
    assert done.status == "replaced"
    assert store.section("S1").n_obs == done.entry.spots


@pytest.mark.slow
def test_replace_repairs_a_damaged_section(store: SpotStore, sections: list[IngestOptions], plugins: Plugins) -> None:
    entry = ingest_section(store, sections[0], plugins).entry
    next(file for file in (store.path / entry.section.path / "X").rglob("c/*") if file.is_file()).write_bytes(b"rot")
    assert verify(store)
    ingest_section(store, sections[0], plugins, replace=True)
    assert verify(store) == []


def test_labels_of_another_section_leave_no_store_behind(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    with pytest.raises(InputError):
        ingest_section(store, with_(sections[0], labels=sections[1].labels), plugins)
    assert not store.path.exists()


def test_nothing_at_a_path_is_said(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(MissingFile, match="nothing at"):
        ingest(store, tmp_path / "gone.tsv", plugins=plugins)


def test_it_is_known_whether_a_patient_was_given_even_one_named_like_the_section(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    assert ingest_section(store, with_(sections[0], patient="S1"), plugins).patient_given
    assert ingest_section(store, with_(sections[0], patient="S1"), plugins).patient_given
    assert not ingest_section(store, with_(sections[1], patient=""), plugins).patient_given


@pytest.mark.slow
def test_writing_a_slide_is_reported_with_its_section(store: SpotStore, cohort: Path, plugins: Plugins) -> None:
    descriptions: list[str] = []

    def track(work: Iterable[Any], description: str, total: float | None = None) -> Iterable[Any]:
        descriptions.append(description)
        return work

    ingest_all(store, read_cohort(cohort, {}), plugins, track=track)
    assert descriptions == ["ingesting", "S1: writing slide", "S2: writing slide"]


def test_a_reader_that_cannot_read_the_path_says_why(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(UnrecognisedSection, match="the reader 'st' cannot read"):
        ingest(store, tmp_path / "notes.docx", reader="st", plugins=plugins)


def test_an_impossible_section_id_is_refused(store: SpotStore, sections: list[IngestOptions], plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match="is not a valid section id"):
        ingest_section(store, with_(sections[0], name="../etc"), plugins)


def test_one_failing_section_does_not_stop_the_others(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins, tmp_path: Path
) -> None:
    gone = with_(sections[0], path=tmp_path / "gone.tsv")
    done, failed = ingest_all(store, [gone, sections[1]], plugins)
    assert [item.entry.id for item in done] == ["S2"]
    (error,) = failed
    assert isinstance(error, MissingFile)
    assert "gone.tsv" in error.context[0]


def test_the_function_takes_the_options_of_the_command(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    section = sections[0]
    done = ingest(store, section.path, name="A", patient="P", labels=section.labels, no_image=True, plugins=plugins)
    assert (done.entry.id, done.entry.patient, done.entry.slide) == ("A", "P", None)
    assert done.entry.labelled


def test_the_function_names_every_wrong_option(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(ConfigError) as caught:
        ingest(store, tmp_path, mpp=0, colour="red", plugins=plugins)
    assert "mpp" in str(caught.value)
    assert "unknown setting 'colour'" in str(caught.value)


def test_another_reader_option_is_another_input(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins
) -> None:
    section = sections[0]
    positions = next(
        source.path for source in ingest_section(store, section, plugins).entry.sources if source.role == "positions"
    )
    with pytest.raises(SectionExists):
        ingest(
            store,
            section.path,
            name="S1",
            patient="P1",
            labels=section.labels,
            no_image=True,
            reader="st",
            reader_options={"spots": str(positions)},
            plugins=plugins,
        )


def test_the_chosen_section_of_a_label_table_tells_two_sections_apart(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins, tmp_path: Path
) -> None:
    assert sections[0].labels is not None
    header, *rows = sections[0].labels.read_text().splitlines()
    labels = tmp_path / "both.tsv"
    merged = [f"{row}\tlung {number}" for number in (1, 2) for row in rows]
    labels.write_text("\n".join([f"{header}\tsample", *merged]))
    of_both = with_(sections[0], labels=labels)
    with pytest.raises(InputError, match="labels of 2 sections, by its column 'sample'"):
        ingest_section(store, of_both, plugins)
    done = ingest_section(store, with_(of_both, label_section="lung 1"), plugins)
    assert any("those of lung 1 were taken" in note for note in done.entry.notes)
    assert ingest_section(store, with_(of_both, label_section="lung 1"), plugins).status == "unchanged"
    with pytest.raises(SectionExists):
        ingest_section(store, with_(of_both, label_section="lung 2"), plugins)
