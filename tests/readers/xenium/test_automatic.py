"""``--align auto``: an H&E without an alignment is aligned if that is certain, and refused with a picture if not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.nuclei import NuclearBundle, NuclearTissue
from bundles.tissue import Pose
from bundles.xenium import He
from PIL import Image

from spacrd_core.demo.write_tenx import write_tiff
from spacrd_core.errors import ConfigError, GeometryError
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.given import keep_given
from spacrd_core.ingestion.ingest import Ingested, ingest
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.section.section import ImageInputs
from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_readers.xenium.alignment import read_alignment
from spacrd_readers.xenium.reader import Xenium

BUNDLE = NuclearBundle()
POSE = Pose(um_per_px=3.0, degrees=91.0, mirrored=True)
TRUTH = He(POSE).true_matrix(BUNDLE.tissue, 0.2125)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in ``outs``, its H&E ``he.tif``, and that of another tissue."""
    folder = tmp_path_factory.mktemp("run")
    BUNDLE.write(folder / "outs")
    write_tiff(folder / "he.tif", BUNDLE.tissue.picture(POSE), um_per_px=3.0)
    write_tiff(folder / "other.tif", NuclearTissue(seed=4).picture(POSE), um_per_px=3.0)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SpotStore:
    return SpotStore.create(tmp_path_factory.mktemp("stores") / "store")


@pytest.fixture(scope="module")
def ingested(store: SpotStore, folder: Path) -> Ingested:
    return ingest(store, folder / "outs", name="X1", image=folder / "he.tif", align="auto")


def error_um(alignment: Path) -> float:
    """Return how far the alignment in a file puts cells from where they are, at most."""
    on_he = POSE.to_px(BUNDLE.tissue, BUNDLE.centroids)
    matrix = read_alignment(alignment, 0.2125).matrix
    found = on_he @ matrix[:2, :2].T + matrix[:2, 2]
    return float(np.linalg.norm(found * 0.2125 - BUNDLE.centroids, axis=1).max())


def test_the_section_has_the_h_and_e_at_the_true_um_per_px(ingested: Ingested) -> None:
    assert ingested.entry.slide
    assert ingested.entry.um_per_px == pytest.approx(3.0, rel=0.01)
    assert ingested.entry.checks["inside_image"] == 1


def test_the_store_keeps_the_alignment_with_a_picture(store: SpotStore, ingested: Ingested) -> None:
    record = ingested.entry.alignment
    assert record
    group = store.path / record.path
    assert error_um(group / "alignment.csv") < 25
    with Image.open(group / "alignment.png") as picture:
        assert picture.width > 1000
    assert [source.path for source in ingested.entry.sources if source.role == "alignment"] == [
        str(group / "alignment.csv")
    ]
    assert verify(store) == []
    assert collect_garbage(store, grace_seconds=0) == []
    (group / "alignment.png").write_bytes(b"")
    assert "alignments/X1" in verify(store)[0]


def test_a_note_has_the_score_and_the_picture(store: SpotStore, ingested: Ingested) -> None:
    note = next(note for note in ingested.entry.notes if "--align auto" in note)
    assert "score 1.00: " in note
    assert "mirrored left to right and turned by" in note
    assert f"{store.path / 'alignments' / 'X1'}" in note
    assert note.endswith("alignment.png")


def test_it_is_kept_when_the_section_is_replaced_until_a_file_is_given(ingested: Ingested, folder: Path) -> None:
    options = IngestOptions.model_validate({"path": folder / "outs", "name": "X1", "patient": "P7"})
    kept = keep_given(options, ingested.entry)
    assert kept.options.align == "auto"
    assert "--align auto" in kept.notes[0]
    given = keep_given(options.model_copy(update={"alignment": folder / "m.csv"}), ingested.entry)
    assert not given.options.align
    assert "not kept of what was given before: --align auto" in given.notes[1]


@pytest.mark.slow
def test_another_tissue_is_refused_and_the_attempt_is_shown(tmp_path: Path, folder: Path) -> None:
    store = SpotStore.create(tmp_path / "store")
    with pytest.raises(
        GeometryError, match=r"was not aligned with the cells of .*: score 0\.\d\d, needed 0.70"
    ) as caught:
        ingest(store, folder / "outs", name="X1", image=folder / "other.tif", align="auto")
    assert not store.entries
    pictures = list((store.path / "alignments" / "X1").glob("*/alignment.png"))
    assert len(pictures) == 1
    assert str(pictures[0]) in caught.value.hint
    assert "--alignment" in caught.value.hint
    assert SpotStore.create(store.path).entries == {}
    assert collect_garbage(store, grace_seconds=0) == [pictures[0].parent]


def test_a_blank_h_and_e_is_refused(tmp_path: Path, folder: Path) -> None:
    Image.new("RGB", (400, 300), "white").save(tmp_path / "blank.png")
    with pytest.raises(GeometryError, match=r"could not be matched to the cells of .* at any position"):
        Xenium(Xenium.Options()).read(folder / "outs", ImageInputs(image=tmp_path / "blank.png", align="auto"))


def test_an_alignment_in_a_file_takes_precedence(tmp_path: Path, folder: Path) -> None:
    np.savetxt(tmp_path / "matrix.csv", TRUTH, delimiter=",")
    done = ingest(
        SpotStore.create(tmp_path / "store"),
        folder / "outs",
        image=folder / "he.tif",
        alignment=tmp_path / "matrix.csv",
        align="auto",
    )
    assert any(note.startswith("--align auto was not used") for note in done.entry.notes)
    assert done.entry.alignment is None


def test_an_image_scale_is_refused(folder: Path) -> None:
    inputs = ImageInputs(image=folder / "he.tif", align="auto", image_scale=0.5)
    with pytest.raises(GeometryError, match="--image-scale does not apply"):
        Xenium(Xenium.Options()).read(folder / "outs", inputs)


def test_without_it_an_h_and_e_without_an_alignment_is_refused_and_the_hint_names_it(folder: Path) -> None:
    inputs = ImageInputs(image=folder / "he.tif")
    with pytest.raises(GeometryError, match="has no alignment") as caught:
        Xenium(Xenium.Options()).read(folder / "outs", inputs)
    assert "--align auto" in caught.value.hint
    section = Xenium(Xenium.Options()).read(folder / "outs", replace(inputs, image=None, align="auto"))
    assert section.slide is None


def test_a_cohort_file_may_have_a_column_for_it(tmp_path: Path) -> None:
    cohort = tmp_path / "cohort.csv"
    cohort.write_text("path,image,align\nX1,a.tif,auto\nX2,b.tif,\n")
    assert [row.align for row in read_cohort(cohort, {})] == ["auto", ""]
    cohort.write_text("path,image,align\nX1,a.tif,maybe\n")
    with pytest.raises(ConfigError, match="align"):
        read_cohort(cohort, {})
