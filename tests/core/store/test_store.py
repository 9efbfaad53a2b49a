import errno
import json
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from bundles.scanners import LeicaArea, write_scn
from conftest import MakeSection

from spacrd_core.cards import Recipe
from spacrd_core.errors import (
    CorruptStore,
    MissingFile,
    SectionExists,
    SpacrdError,
    StoreBusy,
    StoreError,
    UnknownSection,
)
from spacrd_core.section.section import Source
from spacrd_core.store.elements import embedding_facts
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.locks import lock_file, mark_in_use, try_lock
from spacrd_core.store.manifest import SCHEMA_VERSION, SectionEntry, SlideRecord
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import _with_entry, add_section


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    return SpotStore.create(tmp_path / "store")


def test_a_new_store_writes_nothing_before_its_first_section(store: SpotStore) -> None:
    assert not store.path.exists()
    assert store.entries == {}


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(StoreError, match="contains other files"):
        SpotStore.create(tmp_path)


def test_opening_a_folder_without_a_store_hints_at_ingest(tmp_path: Path) -> None:
    with pytest.raises(MissingFile) as caught:
        SpotStore.open(tmp_path)
    assert "spacrd ingest" in caught.value.hint


def test_every_section_opens_with_anndata(store: SpotStore, make_section: MakeSection) -> None:
    section = make_section(1)
    entry = add_section(store, section, SectionKey("S1", "P1", "abc"))
    adata = ad.read_zarr(store.path / entry.section.path)
    assert (adata.X != section.counts.X).nnz == 0
    assert list(adata.obs_names) == list(section.counts.obs_names)
    assert adata.obsm["spatial"].shape == (144, 2)
    spatial = adata.uns["spatial"]["S1"]
    assert spatial["images"]["hires"].shape[2] == 3
    scale = spatial["scalefactors"]["tissue_hires_scalef"]
    assert adata.obsm["spatial"].max() * scale < max(spatial["images"]["hires"].shape)


@pytest.mark.filterwarnings("default")
def test_every_section_draws_with_squidpy(store: SpotStore, make_section: MakeSection) -> None:
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    pytest.importorskip("matplotlib").use("Agg")
    add_section(store, make_section(1), SectionKey("S1", "P1", "abc"))
    gene = store.section("S1").var_names[0]
    axes = squidpy.pl.spatial_scatter(store.section("S1"), color=gene, return_ax=True)
    assert axes.images, "the H&E is drawn under the spots"


def test_the_entry_counts_spots_labels_and_cancer(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "abc"))
    assert (entry.spots, entry.genes, entry.labelled) == (144, 40, 144)
    assert 0 < entry.cancer < 144
    assert entry.slide is not None


def test_a_section_that_fails_leaves_nothing_behind(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    section = make_section(1)
    (tmp_path / "slide1.png").write_bytes(b"no picture")
    with pytest.raises(Exception, match=r"slide1\.png"):
        add_section(store, section, SectionKey("S1", "P1", "abc"))
    assert not store.path.exists()


def test_an_unknown_section_is_an_error_that_lists_the_sections(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "abc"))
    with pytest.raises(UnknownSection) as caught:
        store.choose(("S2",))
    assert "S1" in caught.value.hint


def test_verify_finds_a_changed_and_a_missing_group(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "abc"))
    assert verify(store) == []
    file = next((store.path / entry.section.path / "X").rglob("c/*"))
    file.write_bytes(file.read_bytes() + b"!")
    assert "has changed" in verify(store)[0]
    (store.path / entry.section.path).rename(store.path / "elsewhere")
    assert "is missing" in verify(store)[0]


def test_replaced_groups_are_garbage_and_current_ones_are_not(store: SpotStore, make_section: MakeSection) -> None:
    first = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    second = add_section(store, make_section(2), SectionKey("S1", "P1", "two"))
    assert collect_garbage(store) == [], "recently modified groups may still be needed"
    removed = collect_garbage(store, grace_seconds=0)
    assert store.path / first.section.path in removed
    assert verify(store) == []
    assert (store.path / second.section.path).is_dir()


@pytest.mark.slow
def test_relabelling_keeps_slide_and_geometry(store: SpotStore, make_section: MakeSection) -> None:
    first = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    second = add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "two"))
    assert second.slide == first.slide
    assert second.geometry == first.geometry
    assert second.labelled == 0


def test_a_damaged_group_is_replaced_by_a_sound_one(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    file = next((store.path / entry.section.path / "X").rglob("c/*"))
    file.write_bytes(b"rot")
    assert verify(store)
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    assert verify(store) == []


def published(store: SpotStore, entry: SectionEntry, weights: str, *, latest: bool = True) -> str:
    """Publish embeddings by the encoder ``colour``, all 0, with some weights; return their key."""
    recipe = Recipe(input_px=8, um_per_px=5.0, dim=2, weights=weights)
    staged = store.temporary("embeddings", entry.id)
    group = zarr.open_group(staged, mode="w")
    group.attrs.update(embedding_facts("colour", {}, recipe))  # type: ignore[arg-type]
    group.create_array("values", shape=(entry.spots, 2), dtype="float32")
    group.create_array("coverage", shape=(entry.spots,), dtype="float32")
    return store.publish_embedding(entry, "colour", recipe, staged, latest=latest).recipe


def test_the_name_of_an_encoder_selects_what_was_published_last_unless_that_is_an_aside(
    store: SpotStore, make_section: MakeSection
) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    first, second = published(store, entry, "one"), published(store, entry, "two")
    aside = published(store, entry, "three", latest=False)
    assert store.embedding("S1", encoder="colour").recipe.key == second
    assert {store.embedding("S1", key=key).recipe.weights for key in (first, second, aside)} == {"one", "two", "three"}


@pytest.mark.slow
def test_earlier_embeddings_can_be_made_the_latest(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    keys = [published(store, entry, weights) for weights in ("one", "two")]
    for key in (*keys, *keys):
        store.make_latest(entry, key)
        assert store.embedding("S1", encoder="colour").recipe.key == key
    assert len(store.entry("S1").embeddings) == 2


@pytest.mark.slow
def test_embeddings_of_another_geometry_cannot_be_made_the_latest(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    first, _ = published(store, entry, "one"), published(store, entry, "two")
    with pytest.raises(StoreError, match="was replaced while this command ran"):
        store.make_latest(entry.model_copy(update={"geometry": "another"}), first)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("sections", "S1", "section", "path"), "sections/S1/../../../elsewhere"),
        (("sections", "S1", "id"), "../evil"),
        (("sections", "S1", "id"), "S2"),
        (("sections", "S1", "um_per_px"), None),
    ],
    ids=["path", "id", "another name", "no number"],
)
def test_an_invalid_manifest_is_refused(
    store: SpotStore, make_section: MakeSection, keys: tuple[str, ...], value: object
) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    edit_manifest(store, keys, value)
    with pytest.raises(CorruptStore, match=r"spacrd\.json is damaged"):
        store.section("S1")


def test_a_store_of_a_newer_spacrd_needs_an_update(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    edit_manifest(store, ("schema_version",), 99)
    edit_manifest(store, ("something", "new"), 1)
    with pytest.raises(CorruptStore, match="has schema version 99") as caught:
        store.section("S1")
    assert caught.value.hint == "update SpaCRD"


@pytest.mark.slow
def test_a_store_of_an_earlier_version_becomes_one_of_this_when_it_is_written_to(
    store: SpotStore, make_section: MakeSection
) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    edit_manifest(store, ("schema_version",), 1)
    assert store.section("S1").n_obs
    assert json.loads((store.path / "spacrd.json").read_text())["schema_version"] == 1
    add_section(store, make_section(2, image=False), SectionKey("S2", "P2", "two"))
    assert json.loads((store.path / "spacrd.json").read_text())["schema_version"] == SCHEMA_VERSION


def edit_manifest(store: SpotStore, keys: tuple[str, ...], value: object) -> None:
    file = store.path / "spacrd.json"
    manifest = json.loads(file.read_text())
    inner = manifest
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value
    file.write_text(json.dumps(manifest))


def test_the_remains_of_a_killed_first_ingest_are_accepted(store: SpotStore, make_section: MakeSection) -> None:
    (store.path / "slides" / "S1" / ".tmp-1234").mkdir(parents=True)
    (store.path / "spacrd.lock").touch()
    add_section(SpotStore.create(store.path), make_section(1), SectionKey("S1", "P1", "one"))
    assert verify(store) == []


@pytest.mark.slow
def test_a_damaged_slide_is_written_anew(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert entry.slide is not None
    next(file for file in (store.path / entry.slide.path / "0").rglob("c/**/*") if file.is_file()).write_bytes(b"rot")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert verify(store) == []


def test_two_processes_can_ingest_the_same_section(store: SpotStore, make_section: MakeSection) -> None:
    expected = None
    first = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    store.update(lambda manifest: _with_entry(manifest, first, expected=expected, damaged=()))
    assert store.entry("S1") == first


@pytest.mark.slow
def test_a_section_that_another_process_has_changed_is_refused(store: SpotStore, make_section: MakeSection) -> None:
    first = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
    late = first.model_copy(update={"identity": "three"})
    with pytest.raises(SectionExists, match="meanwhile"):
        store.update(lambda manifest: _with_entry(manifest, late, expected=first, damaged=()))


def staged(store: SpotStore, make_section: MakeSection) -> Path:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    folder = store.staging(entry, "recipe")
    folder.mkdir(parents=True)
    (folder / "shard").touch()
    return folder


def test_garbage_collection_keeps_unfinished_work_of_a_folder_in_use(
    store: SpotStore, make_section: MakeSection
) -> None:
    folder = staged(store, make_section)
    with mark_in_use(store.path / "embeddings"):
        assert collect_garbage(store, grace_seconds=0) == []
    assert collect_garbage(store, grace_seconds=0) == [folder]
    assert not list((store.path / "embeddings").rglob("*")), "the lock files are removed, too"


def test_garbage_collection_keeps_work_with_a_locked_piece(store: SpotStore, make_section: MakeSection) -> None:
    folder = staged(store, make_section)
    with try_lock(lock_file(folder, "0")):
        assert collect_garbage(store, grace_seconds=0) == []
    with try_lock(lock_file(folder)):
        assert collect_garbage(store, grace_seconds=0) == []
    lock_file(folder, "0").touch()  # as a killed process leaves it
    assert collect_garbage(store, grace_seconds=0) == [folder]
    assert not list((store.path / "embeddings").rglob("*"))


@pytest.mark.slow
def test_a_section_has_one_staging_folder_per_recipe_until_its_slide_changes(
    store: SpotStore, make_section: MakeSection
) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    relabelled = add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "two"))
    assert store.staging(entry, "recipe") == store.staging(relabelled, "recipe") != store.staging(entry, "other")
    replaced = add_section(store, make_section(2), SectionKey("S1", "P1", "three"))
    assert store.staging(entry, "recipe") != store.staging(replaced, "recipe")


def test_the_spots_of_a_section_are_read_without_its_counts(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    expected = store.section("S1").obs
    for chunk in (store.path / entry.section.path / "X").rglob("c/*"):
        chunk.write_bytes(b"\0" * chunk.stat().st_size)
    pd.testing.assert_frame_equal(store.spots("S1"), expected)


def test_a_lock_held_too_long_is_an_error(store: SpotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacrd_core.store.folder.LOCK_TIMEOUT_S", 0.1)
    with store.locked(), pytest.raises(StoreBusy, match="another process has held the lock"):
        SpotStore(store.path).update(lambda manifest: manifest)


def test_a_broken_manifest_is_reported(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    (store.path / "spacrd.json").write_text("{")
    with pytest.raises(CorruptStore, match=r"spacrd\.json"):
        store.entries  # noqa: B018 - reading is the test


def test_damaged_metadata_of_a_group_are_reported(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    (store.path / entry.section.path / "zarr.json").write_text('{"a" "b"}')
    with pytest.raises(CorruptStore, match="is damaged") as caught:
        store.section("S1")
    assert "store verify" in caught.value.hint


@pytest.mark.parametrize(("preview", "expected"), [(False, 0.5), (True, 1.0)])
def test_the_store_records_the_px_of_the_image_that_users_open(
    make_section: MakeSection, tmp_path: Path, *, preview: bool, expected: float
) -> None:
    section = make_section(0)
    assert section.slide is not None
    coarse = replace(section.slide, scale=0.5, um_per_px=2 * section.slide.um_per_px, preview=preview)
    entry = add_section(
        SpotStore.create(tmp_path / "new"), replace(section, slide=coarse), SectionKey("S1", "P1", "abc")
    )
    assert entry.slide is not None
    assert entry.slide.image_px_per_full_px == expected


@pytest.mark.slow
def test_the_store_records_the_corner_of_what_viewers_show_of_a_slide(
    make_section: MakeSection, tmp_path: Path
) -> None:
    pytest.importorskip("openslide", reason="openslide is an extra")
    section = make_section(0)
    assert section.slide is not None
    pixels = np.full((576, 576, 3), 200, dtype=np.uint8)
    write_scn(tmp_path / "slide.scn", [LeicaArea(pixels, 192, 64)], size=(1024, 1024))
    slide = replace(section.slide, path=tmp_path / "slide.scn")
    sources = (Source.from_path("image", slide.path),)
    store = SpotStore.create(tmp_path / "new")
    entry = add_section(store, replace(section, slide=slide, sources=sources), SectionKey("S1", "P1", "abc"))
    assert entry.slide is not None
    assert entry.slide.viewer_corner_px == pytest.approx((192, 64), abs=1)


def test_a_slide_of_a_store_of_an_earlier_version_is_shown_as_a_whole() -> None:
    record = {"path": "slides/S1/abc", "sha256": "0" * 64, "um_per_full_px": 0.5, "image_px_per_full_px": 1.0}
    assert SlideRecord.model_validate(record).viewer_corner_px == (0.0, 0.0)


def test_predictions_are_stored_with_the_detector_that_made_them(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    table = pd.DataFrame({"probability": [0.25, 0.75]}, index=pd.Index(["a", "b"], name="spot"))
    store.publish_predictions(entry, table, key="first", detector={"head": "linear"})
    store.publish_predictions(entry, table.iloc[:1], key="second", detector={"head": "spacrd"})
    stored, detector = store.predictions("S1", "first")
    pd.testing.assert_frame_equal(stored, table)
    assert detector == {"head": "linear"}
    assert store.predictions("S1")[1] == {"head": "spacrd"}, "the latest is the default"
    with pytest.raises(UnknownSection, match="no predictions of detector third"):
        store.predictions("S1", "third")


@pytest.mark.slow
def test_predictions_of_a_replaced_section_are_refused(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
    with pytest.raises(StoreError, match="was replaced while this command ran"):
        store.publish_predictions(entry, pd.DataFrame({"probability": [0.5]}, index=["a"]), key="key", detector={})


@pytest.mark.slow
def test_the_entry_records_the_checks_and_the_fraction_on_tissue(store: SpotStore, make_section: MakeSection) -> None:
    entry = add_section(store, make_section(1), SectionKey("S1", "P1", "one"), checks={"empty_spots": 2})
    assert entry.checks.keys() == {"empty_spots", "on_tissue"}
    assert entry.checks["empty_spots"] == 2
    without_image = add_section(store, make_section(2, image=False), SectionKey("S2", "P2", "two"))
    assert without_image.checks == {}


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_not_damage(store: SpotStore, make_section: MakeSection, number: int) -> None:
    entry = add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    with pytest.raises(SpacrdError, match="too many open files") as caught, store._open_group(entry.section):
        raise OSError(number, "as the system says")
    assert not isinstance(caught.value, CorruptStore)
    assert "run again" in caught.value.hint
