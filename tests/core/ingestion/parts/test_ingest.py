"""Parts of a capture area in the store: one read, one slide, each part with its patient."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.labelled import annotation, box, collection, table
from bundles.visium import VisiumBundle

from spacrd_core import ingest, ingest_parts
from spacrd_core.errors import ConfigError, LabelError, SectionExists
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.ingest import Ingested
from spacrd_core.ingestion.ingest_all import ingest_all
from spacrd_core.ingestion.label import label_section
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section
from spacrd_core.store.remove import freed_bytes, remove_sections, stored_bytes
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle()
PX = BUNDLE.px[BUNDLE.in_tissue]
MIDDLE = float(np.median(PX[:, 0])) + 1
TOP, BOTTOM = PX[:, 1].min() - 5, PX[:, 1].max() + 5
IDS = [f"{letters}-1" for letters in np.array(BUNDLE.letters)[BUNDLE.in_tissue]]


def regions(folder: Path, *, edge: float = MIDDLE, names: tuple[str, str] = ("a", "b"), **patient: str) -> Path:
    """Write two regions that divide the capture area at an x."""
    left, right = box(0, TOP, edge, BOTTOM), box(edge, TOP, 9999, BOTTOM)
    features = [annotation(rings, name=name, **patient) for rings, name in zip((left, right), names, strict=True)]
    file = folder / "regions.geojson"
    file.write_text(collection(*features), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, with its image beside it."""
    folder = tmp_path_factory.mktemp("run")
    BUNDLE.write_image(folder / "he.png")
    return BUNDLE.write(folder / "V1")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels of the whole capture area."""
    file = tmp_path / "labels.csv"
    texts = np.where(PX[:, 1] < np.median(PX[:, 1]), "tumor", "normal")
    file.write_text(table("barcode,label", IDS, texts.tolist()), encoding="utf-8")
    return file


def status(parts: Iterable[Ingested]) -> dict[str, str]:
    return {part.entry.id: part.status for part in parts}


def expected_labels(labels: Path) -> "pd.Series[str]":
    return pd.read_csv(labels, index_col="barcode")["label"].replace("tumor", "cancer")


def test_each_region_is_a_section_of_its_patient_with_the_counts_and_labels_of_its_spots(
    store: SpotStore, run: Path, labels: Path, tmp_path: Path, plugins: Plugins
) -> None:
    file = tmp_path / "regions.csv"
    names = np.where(PX[:, 0] < MIDDLE, "a", "b")
    patients = np.where(PX[:, 0] < MIDDLE, "P1", "P2")
    file.write_text(table("barcode,region,patient", IDS, names.tolist(), patients.tolist()), encoding="utf-8")
    parts = ingest_parts(store, run, region=file, labels=labels, no_image=True, plugins=plugins)
    whole = ingest(SpotStore.create(tmp_path / "whole"), run, no_image=True, plugins=plugins)
    counts = SpotStore.create(tmp_path / "whole").section(whole.entry.id)
    assert {part.entry.id: part.entry.patient for part in parts} == {"V1.a": "P1", "V1.b": "P2"}
    assert all(part.patient_given for part in parts)
    for part, name in zip(parts, "ab", strict=True):
        section = store.section(part.entry.id)
        assert section.obs_names.tolist() == [spot for spot, own in zip(IDS, names, strict=True) if own == name]
        assert (section.X != counts[section.obs_names].X).nnz == 0
        assert section.obs["label"].tolist() == expected_labels(labels)[section.obs_names].tolist()
        assert list(section.obs["label"].cat.categories) == ["cancer", "normal"]


@pytest.mark.slow
def test_the_slide_is_stored_once_for_all_parts(store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins) -> None:
    described: list[str] = []

    def track(work: Iterable[Any], description: str, total: float | None = None) -> Iterable[Any]:
        described.append(description)
        return work

    image = run.parent / "he.png"
    parts = ingest_parts(store, run, region=regions(tmp_path), image=image, plugins=plugins, track=track)
    assert described == ["V1: writing slide"]
    slides = {part.entry.slide.path for part in parts if part.entry.slide}
    assert [slide.rpartition("/")[0] for slide in slides] == ["slides/V1"]
    assert store.pyramid("V1.a") is not None
    assert verify(store) == []
    shutil.rmtree(store.path / slides.pop())
    assert len(verify(store)) == 2


@pytest.mark.slow
def test_the_run_is_read_once(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[Path] = []
    read = Visium.read

    def counted(reader: Visium, path: Path, inputs: ImageInputs) -> Section:
        paths.append(path)
        return read(reader, path, inputs)

    monkeypatch.setattr(Visium, "read", counted)
    ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)
    ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins, replace=True)
    assert paths == [run, run]


@pytest.mark.slow
def test_the_same_regions_again_change_nothing(
    store: SpotStore, run: Path, labels: Path, tmp_path: Path, plugins: Plugins
) -> None:
    given: dict[str, Any] = {"region": regions(tmp_path), "labels": labels, "plugins": plugins, "no_image": True}
    assert status(ingest_parts(store, run, **given)) == {"V1.a": "added", "V1.b": "added"}
    before = (store.path / "spacrd.json").read_bytes()
    assert status(ingest_parts(store, run, **given)) == {"V1.a": "unchanged", "V1.b": "unchanged"}
    assert (store.path / "spacrd.json").read_bytes() == before


@pytest.mark.slow
def test_other_regions_need_replace_which_keeps_what_was_given_also_for_a_new_part(
    store: SpotStore, run: Path, labels: Path, tmp_path: Path, plugins: Plugins
) -> None:
    ingest_parts(store, run, region=regions(tmp_path), labels=labels, no_image=True, plugins=plugins, patient="P")
    moved = regions(tmp_path, edge=MIDDLE - 100, names=("a", "c"))
    with pytest.raises(SectionExists, match=r"'V1.a' \(region: regions.geojson in the store"):
        ingest_parts(
            SpotStore.create(store.path), run, region=moved, labels=labels, no_image=True, plugins=plugins, patient="P"
        )
    first, second = ingest_parts(store, run, region=moved, replace=True, plugins=plugins)
    assert (first.status, first.entry.patient, second.entry.id) == ("replaced", "P", "V1.c")
    assert first.entry.labelled == first.entry.spots
    assert second.entry.labelled == second.entry.spots
    assert first.entry.spots + second.entry.spots == len(IDS)


def test_a_part_of_earlier_regions_and_the_whole_are_named_because_their_spots_would_count_twice(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    ingest(store, run, no_image=True, plugins=plugins)
    first = ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)[0]
    assert "store also has V1 of the same capture area" in first.warnings[0]
    renamed = regions(tmp_path, names=("c", "d"))
    first = ingest_parts(store, run, region=renamed, no_image=True, plugins=plugins)[0]
    assert "store also has V1, V1.a, V1.b" in first.warnings[0]
    assert "V1.a, V1.b, V1.c, V1.d" in ingest(store, run, no_image=True, plugins=plugins).warnings[0]


@pytest.mark.slow
def test_without_a_patient_each_part_counts_as_its_own(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    parts = ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)
    assert [(part.entry.patient, part.patient_given) for part in parts] == [("V1.a", False), ("V1.b", False)]


@pytest.mark.slow
def test_one_patient_for_all_is_refused_beside_others_in_the_file(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    file = regions(tmp_path, patient="P1")
    with pytest.raises(ConfigError, match="names the patients P1, but --patient is P2"):
        ingest_parts(store, run, region=file, patient="P2", no_image=True, plugins=plugins)
    assert ingest_parts(store, run, region=file, patient="P1", no_image=True, plugins=plugins)


@pytest.mark.slow
def test_labels_of_the_whole_can_be_added_to_a_part_later(
    store: SpotStore, run: Path, labels: Path, tmp_path: Path, plugins: Plugins
) -> None:
    file = regions(tmp_path)
    ingest_parts(store, run, region=file, no_image=True, plugins=plugins)
    done = label_section(store, "V1.a", labels)
    other = SpotStore.create(tmp_path / "other")
    at_once = ingest_parts(other, run, region=file, labels=labels, no_image=True, plugins=plugins)[0].entry
    pd.testing.assert_frame_equal(store.spots("V1.a"), other.spots("V1.a"))
    assert (done.entry.identity, done.entry.given) == (at_once.identity, at_once.given)
    assert any("labels of other parts of the capture area, left out: " in note for note in done.notes)


@pytest.mark.slow
def test_a_label_vector_of_the_whole_is_in_its_order(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)
    other = SpotStore.create(tmp_path / "whole")
    order = other.spots(ingest(other, run, no_image=True, plugins=plugins).entry.id).index.tolist()
    vector = tmp_path / "labels.txt"
    vector.write_text("\n".join(str(number % 2) for number in range(len(order))), encoding="utf-8")
    label_section(store, "V1.b", vector)
    spots = store.spots("V1.b")
    assert spots["label"].tolist() == [["normal", "cancer"][order.index(spot) % 2] for spot in spots.index]


@pytest.mark.slow
def test_labels_of_another_section_are_refused_by_a_part(
    store: SpotStore, run: Path, labels: Path, tmp_path: Path, plugins: Plugins
) -> None:
    ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)
    labels.write_text(labels.read_text().replace("-1,", "-2,").replace("AC", "GT"), encoding="utf-8")
    with pytest.raises(LabelError) as caught:
        label_section(store, "V1.a", labels)
    assert "--name V1 --region" in "".join(caught.value.context)


def test_a_cohort_file_has_a_column_region(store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins) -> None:
    regions(tmp_path)
    cohort = tmp_path / "cohort.csv"
    cohort.write_text(f"path,region,name,no_image\n{run},regions.geojson,TMA,true\n{run},,W,true\n", encoding="utf-8")
    ingested, errors = ingest_all(store, read_cohort(cohort, {}), plugins)
    assert errors == []
    assert status(ingested) == {"TMA.a": "added", "TMA.b": "added", "W": "added"}


@pytest.mark.slow
def test_a_part_is_not_replaced_by_a_whole(store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins) -> None:
    ingest_parts(store, run, region=regions(tmp_path), no_image=True, plugins=plugins)
    with pytest.raises(ConfigError, match=r"'V1.a' is a part of a capture area"):
        ingest(store, run, name="V1.a", replace=True, plugins=plugins)


def test_the_function_for_one_section_refuses_regions(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    with pytest.raises(ConfigError, match="several sections") as caught:
        ingest(store, run, region=regions(tmp_path), plugins=plugins)
    assert "ingest_parts" in caught.value.hint
    with pytest.raises(ConfigError, match="need a file"):
        ingest_parts(store, run, plugins=plugins)


def test_regions_that_cannot_be_read_leave_no_store_behind(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    file = tmp_path / "regions.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": []}), encoding="utf-8")
    with pytest.raises(LabelError):
        ingest_parts(store, run, region=file, plugins=plugins)
    assert not store.path.exists()


@pytest.mark.slow
def test_a_removed_part_frees_the_slide_only_with_the_last_one(
    store: SpotStore, run: Path, tmp_path: Path, plugins: Plugins
) -> None:
    image = run.parent / "he.png"
    ingest_parts(store, run, region=regions(tmp_path), image=image, plugins=plugins)
    first = remove_sections(store, ["V1.a"])
    assert 0 < freed_bytes(store, first) < stored_bytes(store, first[0])
    last = remove_sections(store, ["V1.b"])
    assert freed_bytes(store, last) == stored_bytes(store, last[0])
    assert freed_bytes(store, [*first, *last]) < sum(stored_bytes(store, entry) for entry in (*first, *last))
