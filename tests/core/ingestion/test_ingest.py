from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from spacrd_core.cards import ComponentOptions, ReaderCard
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.errors import ConfigError, InputError, MissingFile, SectionExists, SpacrdError, UnrecognisedSection
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.ingest import ingest, ingest_all
from spacrd_core.ingestion.options import IngestRequest, default_name
from spacrd_core.plugins import Problem, Registry
from spacrd_core.section.section import Given
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.plugins import Plugins


class Cross:
    """A reader that takes every path badly."""

    Options = ComponentOptions

    def __init__(self, options: ComponentOptions, **_: str) -> None:
        self.options = options

    def recognises(self, path: Path) -> object:
        raise KeyError(path.suffix)


@pytest.fixture
def with_broken_readers(plugins: Plugins) -> Plugins:
    """Beside ours: a reader that cannot be imported, one that raises, a family, and a name claimed twice."""
    broken = (
        ReaderCard("absent", "a_library_that_nobody_has:Reader", "Not there", extra="dask"),
        ReaderCard("cross", f"{__name__}:Cross", "It raises"),
        ReaderCard("families", f"{__name__}:Cross", "Whose members must be named", family=True),
    )
    claimed = Problem("mylab:x", "the name is claimed by mylab:x and mylab:y", "reader", "twice")
    return replace(plugins, readers=Registry("reader", (*broken, *plugins.readers.cards), (claimed,)))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sections in the files of legacy ST."""
    return write_demo_cohort(tmp_path_factory.mktemp("cohort"), platforms=("st", "st"))


@pytest.fixture
def requests(cohort: Path) -> list[IngestRequest]:
    """Both sections, without their images, which take long."""
    rows = read_cohort(cohort, {"no_image": True})
    return [row.request({}, replace=False) for row in rows]


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    return SpotStore.create(tmp_path / "store")


def test_a_section_comes_in_with_its_labels_and_patient(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins
) -> None:
    done = ingest(store, requests[0], plugins)
    assert done.status == "added"
    assert (done.entry.id, done.entry.patient, done.entry.platform) == ("S1", "P1", "st")
    assert 0 < done.entry.cancer < done.entry.labelled < done.entry.spots
    assert {source.role for source in done.entry.sources} == {"counts", "positions", "labels"}


def test_the_same_input_twice_changes_nothing(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins
) -> None:
    ingest(store, requests[0], plugins)
    before = (store.path / "spacrd.json").read_bytes()
    assert ingest(store, requests[0], plugins).status == "unchanged"
    assert (store.path / "spacrd.json").read_bytes() == before


def test_another_section_of_the_same_name_is_refused_and_the_store_is_as_it_was(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins
) -> None:
    ingest(store, requests[0], plugins)
    before = (store.path / "spacrd.json").read_bytes()
    with pytest.raises(SectionExists, match="already has another section 'S1'") as caught:
        ingest(store, replace(requests[1], name="S1"), plugins)
    assert "--replace" in caught.value.hint
    assert (store.path / "spacrd.json").read_bytes() == before


def test_replace_supersedes_a_section(store: SpotStore, requests: list[IngestRequest], plugins: Plugins) -> None:
    ingest(store, requests[0], plugins)
    done = ingest(store, replace(requests[1], name="S1", replace=True), plugins)
    assert done.status == "replaced"
    assert store.section("S1").n_obs == done.entry.spots


def test_replace_repairs_a_damaged_section(store: SpotStore, requests: list[IngestRequest], plugins: Plugins) -> None:
    entry = ingest(store, requests[0], plugins).entry
    next(file for file in (store.path / entry.section.path / "X").rglob("c/*") if file.is_file()).write_bytes(b"rot")
    assert verify(store)
    ingest(store, replace(requests[0], replace=True), plugins)
    assert verify(store) == []


def test_labels_of_another_section_leave_no_store_behind(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins
) -> None:
    with pytest.raises(InputError):
        ingest(store, replace(requests[0], labels=requests[1].labels), plugins)
    assert not store.path.exists()


def test_nothing_at_a_path_is_said(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(MissingFile, match="nothing at"):
        ingest(store, IngestRequest(tmp_path / "gone.tsv"), plugins)


def test_a_path_no_reader_knows_gives_every_readers_reason(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(ExceptionGroup, match="no reader recognises") as caught:
        ingest(store, IngestRequest(tmp_path / "notes.docx"), plugins)
    assert len(caught.value.exceptions) == len(plugins.readers.cards)


def test_broken_readers_do_not_stop_the_one_that_can_read(
    store: SpotStore, requests: list[IngestRequest], with_broken_readers: Plugins
) -> None:
    assert ingest(store, replace(requests[0], reader=""), with_broken_readers).entry.platform == "st"


def test_a_broken_reader_is_a_reason_like_others_with_its_remedy(
    store: SpotStore, tmp_path: Path, with_broken_readers: Plugins
) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(ExceptionGroup) as caught:
        ingest(store, IngestRequest(tmp_path / "notes.docx"), with_broken_readers)
    reasons = [str(error) for error in caught.value.exceptions]
    assert reasons[0].startswith("not absent: reader 'absent' could not be imported: ModuleNotFoundError")
    assert reasons[0].endswith("pip install 'spacrd[dask]'")
    assert reasons[1] == "not cross: it raised KeyError: '.docx'"
    assert reasons[-1] == "reader 'twice': the name is claimed by mylab:x and mylab:y"
    assert not any("families" in reason for reason in reasons)


def test_it_is_known_whether_a_patient_was_given_even_one_named_like_the_section(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins
) -> None:
    assert ingest(store, replace(requests[0], patient="S1"), plugins).patient_given
    assert ingest(store, replace(requests[0], patient="S1"), plugins).patient_given
    assert not ingest(store, replace(requests[1], patient=""), plugins).patient_given


def test_the_writing_of_every_slide_is_told_with_its_section(store: SpotStore, cohort: Path, plugins: Plugins) -> None:
    told: list[str] = []

    def track(work: Iterable[Any], description: str, total: float | None = None) -> Iterable[Any]:
        told.append(description)
        return work

    requests = [row.request({}, replace=False) for row in read_cohort(cohort, {})]
    ingest_all(store, requests, plugins, track=track)
    assert told == ["ingesting", "S1: writing slide", "S2: writing slide"]


def test_a_reader_that_cannot_read_the_path_says_why(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(UnrecognisedSection, match="the reader 'st' cannot read"):
        ingest(store, IngestRequest(tmp_path / "notes.docx", reader="st"), plugins)


def test_an_impossible_section_id_is_refused(store: SpotStore, requests: list[IngestRequest], plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match="cannot name a section"):
        ingest(store, replace(requests[0], name="../etc"), plugins)


def test_one_failing_section_does_not_stop_the_others(
    store: SpotStore, requests: list[IngestRequest], plugins: Plugins, tmp_path: Path
) -> None:
    gone = replace(requests[0], path=tmp_path / "gone.tsv")
    done, failed = ingest_all(store, [gone, requests[1]], plugins)
    assert [item.entry.id for item in done] == ["S2"]
    assert [type(error) for error in failed] == [MissingFile]
    assert "gone.tsv" in failed[0].context[0]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("run1/outs", "run1"),
        ("run1/outs/filtered_feature_bc_matrix.h5", "run1"),
        ("run1/outs/binned_outputs/square_008um", "run1"),
        ("bundle/experiment.xenium", "bundle"),
        ("outsider", "outsider"),
    ],
)
def test_parts_of_a_run_take_its_name(tmp_path: Path, path: str, name: str) -> None:
    assert default_name(tmp_path / path) == name


def test_default_names_end_at_the_first_dot(tmp_path: Path) -> None:
    assert default_name(tmp_path / "A1.tsv.gz") == "A1"


def test_paths_of_a_cohort_file_are_relative_to_it(cohort: Path) -> None:
    first = read_cohort(cohort, {})[0]
    assert first.path.is_file()
    assert first.labels is not None
    assert first.labels.is_file()


def test_a_cohort_file_reports_every_mistake_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,mpp,colour\na.tsv,fast,red\n,0.5,\n")
    with pytest.raises(ConfigError) as caught:
        read_cohort(file, {})
    for mistake in ("line 2: mpp", "line 2: colour", "line 3: path"):
        assert mistake in str(caught.value)


@pytest.mark.parametrize(
    "rows", ["path,name\na.tsv,A1\nb.tsv,B1\nc.tsv,A1\n", "path,name\nx/A1.tsv.gz,\nb.tsv,B1\ny/A1.tsv.gz,\n"]
)
def test_two_rows_of_one_name_are_refused_with_their_lines(tmp_path: Path, rows: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(rows)
    with pytest.raises(ConfigError, match="lines 2 and 4 both name 'A1'"):
        read_cohort(file, {})


def test_mistakes_are_found_at_the_line_an_editor_shows(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,mpp\na.tsv,0.5\n\n\nb.tsv,fast\n")
    with pytest.raises(ConfigError, match="line 5: mpp"):
        read_cohort(file, {})


def test_a_cohort_file_that_is_not_utf8_is_refused_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_bytes("path,patient\na.tsv,M\xfcller\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"the cohort file .* is not a text table") as caught:
        read_cohort(file, {})
    assert "UTF-8" in caught.value.hint


def test_several_positive_words_stand_in_one_cell(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,positive,no_image\na.tsv,tumour; dcis,true\n")
    request = read_cohort(file, {})[0].request({}, replace=False)
    assert request.vocabulary.positive == ("tumour", "dcis")
    assert not request.given.with_image


def test_shared_options_hold_where_a_row_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,patient\na.tsv,P9\nb.tsv,\n")
    assert [row.patient for row in read_cohort(file, {"patient": "P1"})] == ["P9", "P1"]


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(SpacrdError):
        Given(um_per_px=-1.0)
