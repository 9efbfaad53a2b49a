"""``--replace`` keeps what was given before, unless the user gives something else, and tells what is lost."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import CopyOf
from PIL import Image
from stand_ins.encoder import embed_with

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import MissingFile, SectionExists
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.given import keep_given, record_given
from spacrd_core.ingestion.ingest import Ingested, ingest_section
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.plugins import Plugins
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

CPU = Settings(device="cpu")


class Brightness:
    Options = ComponentOptions
    recipe = Recipe(input_px=8, um_per_px=10.0, dim=3)

    def to(self, device: object) -> "Brightness":
        return self

    def embed(self, tiles: object) -> object:
        return tiles.float().mean((2, 3))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> IngestOptions:
    """A section with an image and labels, its image away from the other files, so that it must be given."""
    folder = tmp_path_factory.mktemp("section")
    options = read_cohort(write_demo_cohort(folder, platforms=("st",)), {})[0]
    assert options.image
    image = folder / "scans" / "he.jpg"
    image.parent.mkdir()
    shutil.move(options.image, image)
    return options.model_copy(update={"image": image})


@pytest.fixture
def labels(files: IngestOptions) -> Path:
    assert files.labels
    return files.labels


def given(files: IngestOptions, **options: object) -> IngestOptions:
    """Return options of the section as the command line makes them: only those that are given are set."""
    return IngestOptions.model_validate({"path": files.path, "name": "S1", **options})


@pytest.fixture
def embedded(copy_of: CopyOf, files: IngestOptions, plugins: Plugins) -> SpotStore:
    """A store with the section, its image and patient given, without labels, with embeddings."""

    def fill(folder: Path) -> None:
        store = SpotStore.create(folder)
        ingest_section(store, given(files, image=files.image, patient="P1"), plugins)
        embed_with(store, "brightness", Brightness(), settings=CPU)

    return SpotStore(copy_of(fill))


def replaced(store: SpotStore, plugins: Plugins, options: IngestOptions) -> Ingested:
    return ingest_section(store, options, plugins, replace=True)


def test_new_labels_keep_image_patient_and_embeddings(
    embedded: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins
) -> None:
    before = embedded.entry("S1")
    done = replaced(embedded, plugins, given(files, labels=labels))
    assert done.entry.labelled
    for field in ("slide", "geometry", "embeddings", "patient"):
        assert getattr(done.entry, field) == getattr(before, field)
    assert done.kept == (f"kept what was given before: --patient P1, --image {files.image}",)
    assert done.warnings == ()
    assert done.patient_given
    assert verify(embedded) == []


@pytest.mark.slow
def test_labels_and_their_words_are_kept_with_another_image_scale(
    store: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins
) -> None:
    words = {"positive": ("adipose tissue",), "ignore": ("breast glands",)}
    first = ingest_section(store, given(files, labels=labels, no_image=True, **words), plugins)
    second = replaced(store, plugins, given(files, image=files.image))
    assert (second.entry.labelled, second.entry.cancer) == (first.entry.labelled, first.entry.cancer)
    assert second.entry.slide is not None
    assert "--positive 'adipose tissue'" in second.kept[0]


def test_no_image_drops_the_image_and_warns_of_all_that_is_lost(
    embedded: SpotStore, files: IngestOptions, plugins: Plugins
) -> None:
    done = replaced(embedded, plugins, given(files, no_image=True))
    assert done.entry.slide is None
    image, embeddings = done.warnings
    assert "has no image any more" in image
    assert "embeddings by brightness" in embeddings
    assert f"not kept of what was given before: --image {files.image}" in done.kept
    assert "image" not in done.entry.given


@pytest.mark.slow
def test_a_coarser_image_is_warned_of(
    embedded: SpotStore, files: IngestOptions, plugins: Plugins, tmp_path: Path
) -> None:
    assert files.image
    coarse = tmp_path / "coarse.png"
    with Image.open(files.image) as image:
        image.reduce(4).save(coarse)
    done = replaced(embedded, plugins, given(files, image=coarse, image_scale=0.25))
    assert "the image is coarser than before: 8 um/px, it was 2 um/px" in done.warnings[0]
    assert done.entry.given["image"] == str(coarse)


@pytest.mark.slow
def test_a_coarser_working_resolution_is_warned_of_and_kept_later(
    embedded: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins
) -> None:
    assert "coarser" in replaced(embedded, plugins, given(files, mpp=4)).warnings[0]
    done = replaced(embedded, plugins, given(files, labels=labels))
    assert done.warnings == ()
    assert done.entry.given["mpp"] == 4


def test_a_moved_image_is_an_error_with_the_ways_out_and_the_store_is_as_it_was(
    store: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins, tmp_path: Path
) -> None:
    assert files.image
    image = shutil.copy(files.image, tmp_path / "he.jpg")
    ingest_section(store, given(files, image=image), plugins)
    before = (store.path / "spacrd.json").read_bytes()
    Path(image).unlink()
    with pytest.raises(MissingFile, match="the image given before for section 'S1' is no longer at") as caught:
        replaced(store, plugins, given(files, labels=labels))
    assert "--no-image" in caught.value.hint
    assert (store.path / "spacrd.json").read_bytes() == before


@pytest.mark.slow
def test_a_moved_section_is_known_by_its_files(
    embedded: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins, tmp_path: Path
) -> None:
    root = files.path.parents[1]
    moved = tmp_path / "moved"
    shutil.copytree(root, moved)
    options = given(files, labels=labels).model_copy(update={"path": moved / files.path.relative_to(root)})
    done = replaced(embedded, plugins, options)
    assert done.entry.embeddings == embedded.entry("S1").embeddings != {}
    assert done.entry.given["path"].startswith(str(moved))


def test_nothing_is_kept_for_another_tissue(
    embedded: SpotStore, files: IngestOptions, plugins: Plugins, tmp_path: Path
) -> None:
    other = read_cohort(write_demo_cohort(tmp_path, platforms=("st", "st")), {})[1]
    done = replaced(embedded, plugins, given(other, no_image=True))
    assert done.entry.patient == "S1"
    assert "was another tissue" in done.kept[0]
    assert "--patient P1" in done.kept[0]
    assert "has no image any more" in done.warnings[0]


@pytest.mark.slow
def test_calls_that_are_gone_are_told(
    embedded: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins
) -> None:
    table = pd.DataFrame({"label": ["cancer"]}, index=["a"])
    embedded.publish_predictions(embedded.entry("S1"), table, key="key", detector={})
    assert "calls are gone" in replaced(embedded, plugins, given(files, labels=labels)).warnings[0]


def entry_given(embedded: SpotStore, **options: object) -> SectionEntry:
    return embedded.entry("S1").model_copy(update={"given": {"path": "/data/S1", **options}})


def test_what_belongs_to_another_image_or_reader_is_not_kept(embedded: SpotStore, files: IngestOptions) -> None:
    reader = {"name": "st", "spots": "a.tsv"}
    entry = entry_given(embedded, image_scale=0.5, um_per_px=2.0, reader=reader, mpp=1.0, a_later_option=1)
    kept = keep_given(given(files, image=files.image), entry)
    assert (kept.options.image_scale, kept.options.um_per_px, kept.options.mpp) == (None, None, 1.0)
    assert kept.options.reader.options == {"spots": "a.tsv"}
    assert "not kept of what was given before: --image-scale 0.5, --um-per-px 2.0" in kept.notes
    other = keep_given(given(files, reader={"name": "anndata"}), entry).options
    assert (other.reader.name, other.reader.options) == ("anndata", {})
    same = keep_given(given(files, reader={"spots": "b.tsv"}), entry).options
    assert (same.reader.name, same.reader.options) == ("st", {"spots": "b.tsv"})


def test_no_image_stays_until_an_image_is_given(embedded: SpotStore, files: IngestOptions) -> None:
    entry = entry_given(embedded, no_image=True)
    assert keep_given(given(files), entry).options.no_image
    assert not keep_given(given(files, image=files.image), entry).options.no_image
    assert not keep_given(given(files, no_image=False), entry).options.no_image


def test_paths_are_recorded_in_full(files: IngestOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recorded = record_given(IngestOptions.model_validate({"path": "outs", "labels": "a.csv", "no_image": False}))
    assert recorded == {"path": str(tmp_path / "outs"), "labels": str(tmp_path / "a.csv")}


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"labels": True}, "labels: none in the store, S1_labeled_coordinates.tsv now"),
        ({"patient": "P2"}, "patient: P1 in the store, P2 now"),
        ({"image": None}, "image: he.jpg in the store, none now"),
        ({"mpp": 1.0}, "--mpp: 0.5 in the store, 1 now"),
        ({"labels": True, "positive": ("adipose tissue",)}, "--positive: none in the store, adipose tissue now"),
        ({"image_scale": 0.999}, "image scale: 1 in the store, 0.999 now"),
    ],
)
def test_another_section_is_told_by_what_differs(
    embedded: SpotStore,
    files: IngestOptions,
    labels: Path,
    plugins: Plugins,
    options: dict[str, object],
    difference: str,
) -> None:
    now = {"image": files.image, "patient": "P1", **options} | ({"labels": labels} if "labels" in options else {})
    with pytest.raises(SectionExists, match="already has a different section 'S1'") as caught:
        ingest_section(embedded, given(files, **{k: v for k, v in now.items() if v is not None}), plugins)
    assert difference in str(caught.value)


@pytest.mark.slow
def test_a_file_that_has_changed_is_told(
    store: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins, tmp_path: Path
) -> None:
    own = Path(shutil.copy(labels, tmp_path / "labels.tsv"))
    ingest_section(store, given(files, labels=own, no_image=True), plugins)
    own.write_text(own.read_text().replace("invasive cancer", "breast glands"))
    with pytest.raises(SectionExists, match=r"labels: labels.tsv in the store, labels.tsv with other content now"):
        ingest_section(store, given(files, labels=own, no_image=True), plugins)


def test_replacing_a_section_of_an_earlier_version_keeps_nothing_and_still_warns(
    embedded: SpotStore, files: IngestOptions, labels: Path, plugins: Plugins
) -> None:
    old = embedded.entry("S1").model_copy(update={"given": {}})
    embedded.update(lambda manifest: manifest.with_entry(old))
    done = replaced(embedded, plugins, given(files, labels=labels))
    assert done.kept == ()
    assert "has no image any more" in done.warnings[0]
    assert np.isin(embedded.spots("S1")["label"].dropna(), ["cancer", "normal"]).all()
