"""Stores from strangers: their arrays name no code, their groups lie in the store, and hints are safe to copy."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import CopyOf, MakeSection
from stand_ins.pickled import write_pickled_array

from spacrd_core.errors import CorruptStore, SpacrdError
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.describe import describe_section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord
from spacrd_core.store.repair import repair_hint
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

ENCODER = "uni; touch /tmp/x; $(id) `id` \x1b[2J"


@pytest.fixture
def store(copy_of: CopyOf, make_section: MakeSection) -> SpotStore:
    def fill(folder: Path) -> None:
        store = SpotStore.create(folder)
        add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
        table = pd.DataFrame({"probability": [0.5]}, index=["1x1"])
        store.publish_predictions(store.entry("S1"), table, key="k" * 16, detector={"head": "spacrd"})

    return SpotStore(copy_of(fill))


def rewrite(store: SpotStore, change: Callable[[dict[str, Any]], object]) -> SpotStore:
    """Change the entry of S1 in the manifest; its groups have no checksum of the layout, as in earlier versions."""
    file = store.path / "spacrd.json"
    manifest = json.loads(file.read_bytes())
    entry = manifest["sections"]["S1"]
    for group in (entry["section"], entry["slide"], *entry["predictions"].values()):
        group["layout"] = ""
    change(entry)
    file.write_text(json.dumps(manifest))
    return SpotStore.open(store.path)


READS: dict[str, Callable[[SpotStore], object]] = {
    "sections": lambda store: store.section("S1"),
    "spots": lambda store: store.spots("S1"),
    "slides": lambda store: store.pyramid("S1"),
    "predictions": lambda store: store.predictions("S1"),
}


@pytest.mark.parametrize("name", READS)
def test_zarr_v2_whose_codecs_may_run_code_is_no_part_of_a_store(
    name: str, store: SpotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    kind = {"spots": "sections"}.get(name, name)
    (group,) = (path for path in (store.path / kind / "S1").iterdir() if path.is_dir())
    shutil.rmtree(group)
    group.mkdir()
    (group / ".zgroup").write_text('{"zarr_format": 2}')
    dataset = {"path": "X", "coordinateTransformations": [{"scale": [1, 1, 1]}]}
    attributes = {"encoding-type": "anndata", "encoding-version": "0.1.0", "facts": {}, "spacrd": {"notes": []}}
    (group / ".zattrs").write_text(json.dumps(attributes | {"ome": {"multiscales": [{"datasets": [dataset]}]}}))
    for array in ("X", "obs", "spots"):
        write_pickled_array(group / array, tmp_path / "it ran")
    with pytest.raises(CorruptStore):
        READS[name](rewrite(store, lambda _: None))
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "sections/../../etc", "sections/../x", "other/S1/x", "sections/S1/x\n"]
)
def test_a_group_lies_in_the_store(path: str, store: SpotStore) -> None:
    with pytest.raises(CorruptStore, match=r"section\.path: String should match pattern"):
        rewrite(store, lambda entry: entry["section"].update(path=path)).section("S1")


SIZES = {"um_per_px": 0.0, "pitch_um": -1.0, "spot_um": 1e300, "spots": -1, "genes": -5}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_a_section(name: str, store: SpotStore) -> None:
    with pytest.raises(CorruptStore, match=rf"S1\.{name}: Input should be (greater|less) than"):
        rewrite(store, lambda entry: entry.update({name: SIZES[name]})).section("S1")


def test_a_key_that_is_given_twice_is_refused(store: SpotStore) -> None:
    file = store.path / "spacrd.json"
    file.write_text(file.read_text().replace('"patient":', '"patient": "P9", "patient":', 1))
    with pytest.raises(CorruptStore, match="it gives the key 'patient' twice"):
        SpotStore.open(store.path).entry("S1")


def test_a_level_of_a_slide_lies_in_its_group_and_declares_no_more_than_it_stores(store: SpotStore) -> None:
    slide = store.path / store.entry("S1").slide.path  # type: ignore[union-attr]
    group, array = slide / "zarr.json", slide / "0" / "zarr.json"
    before = array.read_text()
    array.write_text(json.dumps(json.loads(before) | {"shape": [3, 10**9, 10**9]}))
    with pytest.raises(CorruptStore, match="declares 3 EB"):
        Pyramid.open(slide)
    array.write_text(before)
    facts = json.loads(group.read_text())
    facts["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = "../../../../etc"
    group.write_text(json.dumps(facts))
    with pytest.raises(CorruptStore, match="does not contain a slide"):
        Pyramid.open(slide)


def test_a_command_in_a_hint_is_one_command_whatever_names_are_in_it(store: SpotStore) -> None:
    embedding = EmbeddingRecord(path="embeddings/S1/x", sha256="", encoder=ENCODER, recipe="r")
    given = {"path": "a; rm -rf ~", "name": "n; id", "region": "A1 && id"}
    entry = store.entry("S1").model_copy(update={"given": given})
    section = GroupRecord(path="sections/S1/x", sha256="")
    for record, words in (
        (embedding, ["embed", str(store.path), "--encoder", ENCODER, "--section", "S1", "--again"]),
        (section, ["ingest", str(store.path), "a; rm -rf ~", "--name", "n; id", "--region", "A1 && id", "--replace"]),
    ):
        command = (
            repair_hint(store.path, record, entry).removeprefix("repair it by: ").partition("; spacrd store ver")[0]
        )
        assert shlex.split(command) == ["spacrd", *words]
    with pytest.raises(SpacrdError) as caught:
        store.embedding("S1", encoder=ENCODER)
    assert shlex.split(caught.value.hint)[:5] == ["spacrd", "embed", str(store.path), "--encoder", ENCODER]


@pytest.mark.parametrize("name", ["sections", "spots", "predictions"])
def test_an_encoding_that_anndata_does_not_know_is_damage(name: str, store: SpotStore) -> None:
    kind = {"spots": "sections"}.get(name, name)
    (group,) = (path for path in (store.path / kind / "S1").iterdir() if path.is_dir())
    for file in group.rglob("zarr.json"):
        file.write_text(file.read_text().replace('"encoding-type": "dataframe"', '"encoding-type": "unheard of"'))
    with pytest.raises(CorruptStore, match="is damaged: "):
        READS[name](rewrite(store, lambda _: None))


def test_labels_that_a_manifest_lists_and_the_section_lacks_are_damage(
    tmp_path: Path, make_section: MakeSection
) -> None:
    unlabelled = SpotStore.create(tmp_path / "unlabelled")
    add_section(unlabelled, make_section(2, labels=False), SectionKey("S1", "P1", "one"))
    claimed = rewrite(unlabelled, lambda entry: entry.update(labelled=5, cancer=2))
    with pytest.raises(CorruptStore, match="the manifest lists labels that it lacks"):
        describe_section(claimed, "S1")
