"""The manifest is read as it is in the file, although what has not changed is not validated again."""

import json
from pathlib import Path

import pytest

from spacrd_core.errors import CorruptStore
from spacrd_core.store.manifest import GroupRecord, Manifest, SectionEntry, read_manifest, write_manifest


def entry(name: str, patient: str = "P1") -> SectionEntry:
    return SectionEntry(
        id=name,
        patient=patient,
        platform="st",
        identity="1",
        geometry="2",
        spots=3,
        genes=4,
        um_per_px=1.0,
        spot_um=100.0,
        spot_shape="disc",
        pitch_um=200.0,
        labelled=0,
        cancer=0,
        section=GroupRecord(path=f"sections/{name}/1", sha256="0"),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spacrd.json"


def test_only_sections_that_have_changed_are_validated_again(file: Path) -> None:
    write_manifest(Manifest().with_entry(entry("A")).with_entry(entry("B")), file)
    first = read_manifest(file)
    write_manifest(first.with_entry(entry("B", patient="P2")), file)
    second = read_manifest(file)
    assert second.sections["A"] is first.sections["A"]
    assert second.sections["B"].patient == "P2"
    assert read_manifest(file) is second


def test_two_stores_with_sections_of_the_same_name_are_not_mixed_up(tmp_path: Path) -> None:
    for patient in ("P1", "P2"):
        write_manifest(Manifest().with_entry(entry("A", patient)), tmp_path / patient)
    for patient in ("P1", "P2", "P1"):
        assert read_manifest(tmp_path / patient).sections["A"].patient == patient


@pytest.mark.parametrize("sections", [None, [], {"A": {}}, {"B": "unchanged"}])
def test_a_damaged_manifest_is_refused_after_a_whole_one_was_read(file: Path, sections: object) -> None:
    write_manifest(Manifest().with_entry(entry("A")), file)
    content = json.loads(file.read_text())
    read_manifest(file)
    unchanged = content["sections"]["A"]
    broken = {"B": unchanged} if sections == {"B": "unchanged"} else sections
    file.write_text(json.dumps(content | {"sections": broken}))
    with pytest.raises(CorruptStore):
        read_manifest(file)
