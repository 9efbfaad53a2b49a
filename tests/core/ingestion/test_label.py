"""Labels of a section in the store: as at ingestion, and nothing else changes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import CopyOf, MakeSection
from interrupted import changes_of, moments, run_until
from PIL import Image

from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.errors import CorruptStore, LabelError, StoreError, UnknownSection
from spacrd_core.files import tree_sha256
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.ingest import ingest_section
from spacrd_core.ingestion.label import Labelled, label_section
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import SubSpots
from spacrd_core.store.elements import write_section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.relabel import replace_labels
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section


def unlabelled(section: IngestOptions) -> IngestOptions:
    return IngestOptions.model_validate(
        section.model_dump(exclude_unset=True, exclude={"labels", "positive", "ignore"})
    )


@pytest.fixture
def labels(sections: list[IngestOptions]) -> Path:
    """The label file of the first section."""
    assert sections[0].labels
    return sections[0].labels


@pytest.fixture
def bare(copy_of: CopyOf, sections: list[IngestOptions], plugins: Plugins) -> SpotStore:
    """A store with the first section, without labels."""

    def make(folder: Path) -> None:
        ingest_section(SpotStore.create(folder), unlabelled(sections[0]), plugins)

    return SpotStore.open(copy_of(make))


def test_labels_added_later_are_those_of_ingestion(
    bare: SpotStore, sections: list[IngestOptions], labels: Path, plugins: Plugins, tmp_path: Path
) -> None:
    done = label_section(bare, "S1", labels)
    at_once = SpotStore.create(tmp_path / "at_once")
    expected = ingest_section(at_once, sections[0], plugins).entry
    for field in ("identity", "geometry", "labelled", "cancer", "label_source", "notes", "sources", "given"):
        assert getattr(done.entry, field) == getattr(expected, field), field
    pd.testing.assert_frame_equal(bare.spots("S1"), at_once.spots("S1"))
    assert done.status == "labelled"
    assert set(done.notes) <= set(expected.notes)
    assert verify(bare) == []


def test_counts_are_the_same_files_and_all_other_groups_stay(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    section = make_section(1, labels=False)
    entry = add_section(store, section, SectionKey("S1", "P1", "one"))
    store.publish_predictions(entry, pd.DataFrame({"label": ["cancer"]}, index=["a"]), key="key", detector={})
    before = store.entry("S1")
    file = tmp_path / "labels.csv"
    pd.Series(["tumor", "normal"] * 72, index=section.counts.obs_names, name="label").to_csv(file, index_label="spot")
    after = label_section(store, "S1", file).entry
    for part in ("X", "var", "obsm", "uns"):
        assert tree_sha256(store.path / before.section.path / part) == tree_sha256(
            store.path / after.section.path / part
        )
    for field in ("slide", "cells", "embeddings", "predictions", "geometry", "patient"):
        assert getattr(after, field) == getattr(before, field)
    assert (after.labelled, after.cancer, after.label_source) == (144, 72, "labels.csv")
    assert store.section("S1").obs["label"].notna().all()
    assert verify(store) == []


@pytest.mark.slow
def test_a_mask_fits_the_slide_that_was_given_by_a_relative_path(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = sections[0]
    assert section.image
    monkeypatch.chdir(section.image.parent)
    typed = section.model_copy(update={"image": Path(section.image.name), "labels": None, "no_image": False})
    slide = ingest_section(store, typed, plugins).entry.slide
    assert slide is not None
    with Image.open(section.image) as image:
        classes = np.ones((image.height, image.width), dtype=np.uint8)
    classes[:, classes.shape[1] // 2 :] = 2
    Image.fromarray(classes).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    done = label_section(store, "S1", tmp_path / "mask.png", positive=["1"])
    spots = store.spots("S1")
    left = spots["x_px"] * (slide.file_px_per_full_px or 1) < classes.shape[1] // 2
    assert (spots["label"] == "cancer").tolist() == left.tolist()
    section.image.rename(section.image.with_name("moved.tif"))
    with pytest.raises(LabelError, match=f"drawn on the slide {section.image}, which is needed to place it"):
        label_section(store, "S1", tmp_path / "mask.png", positive=["2"])
    assert store.entry("S1") == done.entry


def test_the_same_labels_twice_change_nothing(bare: SpotStore, labels: Path) -> None:
    label_section(bare, "S1", labels)
    before = (bare.path / "spacrd.json").read_bytes()
    assert label_section(bare, "S1", labels).status == "unchanged"
    assert (bare.path / "spacrd.json").read_bytes() == before


@pytest.mark.slow
def test_labels_that_are_there_already_remove_the_locks_that_a_killed_run_has_left(
    bare: SpotStore, labels: Path
) -> None:
    (section,) = bare.entries
    label_section(bare, section, labels)
    left = bare.path / "sections" / section / ".in-use-killed.lock"
    left.touch()
    assert label_section(bare, section, labels).status == "unchanged"
    assert not left.exists()


def test_ingesting_with_the_labels_that_were_added_changes_nothing(
    bare: SpotStore, sections: list[IngestOptions], labels: Path, plugins: Plugins
) -> None:
    label_section(bare, "S1", labels)
    assert ingest_section(bare, sections[0], plugins).status == "unchanged"


def relabelled(store: SpotStore, labels: Path, tmp_path: Path, **words: Any) -> tuple[Labelled, Labelled]:
    """Label a section by its file, then by a copy of that under another name."""
    first = label_section(store, "S1", labels)
    other = tmp_path / "corrected.tsv"
    shutil.copy(labels, other)
    return first, label_section(store, "S1", other, **words)


def test_new_labels_replace_the_earlier_ones_with_their_notes_and_sources(
    bare: SpotStore, labels: Path, tmp_path: Path
) -> None:
    first, second = relabelled(bare, labels, tmp_path, positive=["adipose tissue"], ignore=["invasive cancer"])
    assert second.entry.cancer != first.entry.cancer
    assert not any(labels.name in note for note in second.entry.notes)
    assert [Path(s.path).name for s in second.entry.sources if s.role == "labels"] == ["corrected.tsv"]
    assert second.entry.given["positive"] == ["adipose tissue"]
    assert set(bare.spots("S1")["label_source"]) == {"corrected.tsv"}


def test_polygons_label_a_stored_section(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    section = make_section(1, labels=False)
    add_section(store, section, SectionKey("S1", "P1", "one"))
    file = polygons(section.counts.obs[["x_px", "y_px"]].to_numpy(), tmp_path, scale=1.0)
    entry = label_section(store, "S1", file).entry
    assert entry.labelled == 144
    assert 0 < entry.cancer < 144
    assert "label_overlap" in store.spots("S1")


@pytest.mark.slow
def test_polygons_in_px_of_the_image_are_scaled_to_the_spots(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    section = make_section(1, labels=False)
    assert section.slide
    enlarged = section.counts.copy()
    enlarged.obs[["x_px", "y_px"]] *= 20
    slide = replace(section.slide, scale=0.05, preview=True)
    finer = replace(section, counts=enlarged, um_per_px=section.um_per_px / 20, slide=slide)
    add_section(store, finer, SectionKey("S1", "P1", "one"))
    done = label_section(store, "S1", polygons(enlarged.obs[["x_px", "y_px"]].to_numpy(), tmp_path, scale=0.05))
    assert done.entry.labelled == 144
    assert any("were read in px of slide1.png" in note for note in done.notes)


def polygons(px: np.ndarray, folder: Path, *, scale: float) -> Path:
    """Write two polygons that halve the spots: tumour on the left, stroma on the right."""
    (left, top), (right, bottom) = (px.min(axis=0) - 1).tolist(), (px.max(axis=0) + 1).tolist()
    middle = (left + right) / 2
    features = []
    for word, x0, x1 in (("Tumor", left, middle), ("Stroma", middle, right)):
        ring = [[x0, top], [x1, top], [x1, bottom], [x0, bottom], [x0, top]]
        corners = [[[x * scale, y * scale] for x, y in ring]]
        properties = {"objectType": "annotation", "classification": {"name": word}}
        geometry = {"type": "Polygon", "coordinates": corners}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    file = folder / "drawn.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


@pytest.mark.slow
def test_labels_of_cells_are_summed_to_their_spots(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    section = make_section(1, image=False, labels=False)
    cells = SubSpots(
        "cell", np.array([f"cell{n}" for n in range(288)], dtype=bytes), np.arange(288, dtype=np.int32) // 2
    )
    add_section(store, replace(section, sub_spots=cells), SectionKey("S1", "P1", "one"))
    file = tmp_path / "cells.csv"
    words = ["tumor"] * 200 + ["stroma"] * 88
    pd.DataFrame({"cell_id": cells.ids.astype(str), "label": words}).to_csv(file, index=False)
    entry = label_section(store, "S1", file).entry
    assert (entry.labelled, entry.cancer) == (144, 100)
    assert set(store.spots("S1")["n_labelled"]) == {2}


def test_a_list_without_ids_follows_the_order_of_the_counts(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    section = make_section(1, image=False, labels=False)
    names = section.counts.obs_names.to_numpy()
    section.counts.uns["counts_order"] = names[::-1]
    add_section(store, section, SectionKey("S1", "P1", "one"))
    file = tmp_path / "vector.txt"
    file.write_text("\n".join(["1"] * 10 + ["0"] * 134))
    label_section(store, "S1", file)
    assert list(store.spots("S1").query("label == 'cancer'").index) == list(names[-10:])


@pytest.mark.slow
def test_a_list_without_ids_is_refused_if_the_order_of_the_counts_is_not_known(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    entry = add_section(store, make_section(1, image=False, labels=False), SectionKey("S1", "P1", "one"))
    adata = store.section("S1")
    del adata.uns["spacrd"]["in_counts_order"]
    folder = store.path / entry.section.path
    shutil.rmtree(folder)
    folder.mkdir()
    write_section(adata, folder)  # as an earlier version did
    file = tmp_path / "vector.txt"
    file.write_text("\n".join(["1"] * 10 + ["0"] * 134))
    with pytest.raises(LabelError, match="did not record") as caught:
        label_section(store, "S1", file)
    assert "--replace" in caught.value.hint


def test_labels_by_bin_need_the_run_itself(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    section = make_section(1, image=False, labels=False)
    section.counts.obs["n_bins"] = 49
    add_section(store, section, SectionKey("S1", "P1", "one"))
    file = tmp_path / "bins.csv"
    file.write_text("barcode,label\n" + "".join(f"s_008um_{n:05}_00001-1,tumor\n" for n in range(20)))
    with pytest.raises(LabelError) as caught:
        label_section(store, "S1", file)
    assert "labels by bin need the run itself" in caught.value.context[0]


@pytest.mark.parametrize("other", [True, False], ids=["another section", "no such file"])
def test_wrong_labels_leave_the_section_as_it_was(
    bare: SpotStore, sections: list[IngestOptions], tmp_path: Path, *, other: bool
) -> None:
    before = tree_sha256(bare.path)
    with pytest.raises(LabelError if other else Exception):
        label_section(bare, "S1", (sections[1].labels or Path()) if other else tmp_path / "gone.csv")
    assert tree_sha256(bare.path) == before


def test_an_unknown_section_is_refused(bare: SpotStore, labels: Path) -> None:
    with pytest.raises(UnknownSection, match="no section 'S9'"):
        label_section(bare, "S9", labels)


def test_a_damaged_section_is_not_labelled_because_the_copy_would_look_sound(bare: SpotStore, labels: Path) -> None:
    folder = bare.path / bare.entry("S1").section.path / "var"
    next(file for file in folder.rglob("c/*") if file.is_file()).write_bytes(b"rot")
    with pytest.raises(CorruptStore):
        label_section(bare, "S1", labels)


@pytest.mark.slow
def test_a_section_replaced_meanwhile_keeps_what_it_became(store: SpotStore, make_section: MakeSection) -> None:
    early = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
    with pytest.raises(StoreError, match="was replaced while this command ran"):
        replace_labels(store, early, make_section(1, image=False), identity="three", given={})
    assert store.entry("S1").identity == "two"


@pytest.fixture(scope="module")
def labelled_copy(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Callable[[], tuple[SpotStore, Path]]:
    """A factory of equal stores with a section without labels, and the label file."""
    folder = tmp_path_factory.mktemp("killed")
    section = read_cohort(write_demo_cohort(folder / "cohort", platforms=("st",)), {"no_image": True})[0]
    first = SpotStore.create(folder / "first")
    ingest_section(first, unlabelled(section), plugins)

    def make() -> tuple[SpotStore, Path]:
        copy = tmp_path_factory.mktemp("copy") / "store"
        shutil.copytree(first.path, copy)
        return SpotStore.open(copy), section.labels or Path()

    return make


@pytest.mark.slow  # tests/faults kills it, too
@pytest.mark.parametrize("count", [16])
def test_killed_at_any_moment_the_section_has_its_labels_or_has_not(
    labelled_copy: Callable[[], tuple[SpotStore, Path]], count: int
) -> None:
    store, labels = labelled_copy()
    command = ["store", "label", str(store.path), "S1", "--labels", str(labels)]
    changes, final = changes_of(store.path, command), store.entry("S1")
    for moment in moments(changes, count):
        store, labels = labelled_copy()
        before = store.entry("S1")
        run = run_until(moment, store.path, ["store", "label", str(store.path), "S1", "--labels", str(labels)])
        assert run.returncode < 0, run.stderr
        assert store.entry("S1") in (before, final)
        assert verify(store) == []
        assert label_section(store, "S1", labels).entry == final
        assert verify(store) == []


def of_spots(path: Path, labels: dict[str, str]) -> Path:
    pd.Series(labels, name="label").to_csv(path, index_label="spot_id")
    return path


def test_added_labels_leave_those_of_other_spots(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "one"))
    first = label_section(store, "S1", of_spots(tmp_path / "first.csv", {"1x1": "tumor", "2x1": "normal"}))
    second = of_spots(tmp_path / "second.csv", {"2x1": "tumor", "3x1": "stroma", "1x1": ""})
    done = label_section(store, "S1", second, add=True)
    labels = store.spots("S1")["label"].dropna()
    assert labels.to_dict() == {"1x1": "cancer", "2x1": "cancer", "3x1": "normal"}
    assert store.spots("S1").loc[[*labels.index], "label_source"].tolist() == ["first.csv", *["second.csv"] * 2]
    assert (done.entry.labelled, done.entry.cancer) == (3, 2)
    assert done.entry.label_source == "first.csv, second.csv"
    assert [source.path for source in done.entry.sources if source.role == "labels"] == [
        str(tmp_path / name) for name in ("first.csv", "second.csv")
    ]
    assert "second.csv: 1 labels of first.csv were kept" in done.notes
    assert not {*first.notes} & {*done.notes}
    assert verify(store) == []


@pytest.mark.slow
def test_adding_the_same_labels_again_changes_nothing(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "one"))
    label_section(store, "S1", of_spots(tmp_path / "first.csv", {"1x1": "tumor"}))
    second = of_spots(tmp_path / "second.csv", {"2x1": "normal"})
    entry = label_section(store, "S1", second, add=True).entry
    again = label_section(store, "S1", second, add=True)
    assert again.status == "unchanged"
    assert store.entry("S1") == entry


@pytest.mark.slow
def test_a_text_for_unknown_ends_an_earlier_label(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "one"))
    label_section(store, "S1", of_spots(tmp_path / "first.csv", {"1x1": "tumor", "2x1": "normal"}))
    label_section(store, "S1", of_spots(tmp_path / "second.csv", {"1x1": "undetermined", "3x1": "tumor"}), add=True)
    assert store.spots("S1")["label"].dropna().to_dict() == {"2x1": "normal", "3x1": "cancer"}


@pytest.mark.slow
def test_labels_of_spots_and_of_cells_can_be_added_to_each_other(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    section = make_section(1, labels=False)
    section.counts.obs["label"] = pd.Categorical(["cancer", *[None] * 143], categories=["cancer", "normal"])
    section.counts.obs["label_fraction"] = [0.75, *[np.nan] * 143]
    add_section(store, section, SectionKey("S1", "P1", "one"))
    label_section(store, "S1", of_spots(tmp_path / "more.csv", {"2x1": "normal", "3x1": "tumor"}), add=True)
    assert store.spots("S1")["label_fraction"].dropna().to_dict() == {"1x1": 0.75, "2x1": 0.0, "3x1": 1.0}


@pytest.mark.slow
def test_a_section_that_is_read_again_says_that_added_labels_are_gone(
    store: SpotStore, sections: list[IngestOptions], plugins: Plugins, tmp_path: Path
) -> None:
    ingest_section(store, sections[0], plugins)
    spot = str(store.spots("S1").index[0])
    more = of_spots(tmp_path / "more.csv", {spot: "normal"})
    label_section(store, "S1", of_spots(tmp_path / "other.csv", {spot: "tumor"}), add=True)
    label_section(store, "S1", more, add=True)
    again = ingest_section(store, sections[0], plugins, replace=True)
    assert any("labels added later are not kept" in note and "more.csv" in note for note in again.kept)
