"""``spacrd store``: label, show and remove sections."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CopyOf, MakeSection

from spacrd_cli.main import run
from spacrd_core.errors import CountsError, DetectorError
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.failures import note_failures
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.fixture
def store(copy_of: CopyOf, make_section: MakeSection) -> Path:
    """A store with two sections; the second has neither an image nor labels."""

    def make(folder: Path) -> None:
        store = SpotStore.create(folder)
        add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
        add_section(store, make_section(2, image=False, labels=False), SectionKey("S2", "P2", "two"))

    return copy_of(make)


@pytest.fixture
def labels(tmp_path: Path, store: Path) -> Path:
    file = tmp_path / "labels.csv"
    names = SpotStore(store).spots("S2").index
    rows = [f"{name},{'grade 3' if number < 40 else 'fat'}" for number, name in enumerate(names)]
    file.write_text("\n".join(["spot_id,label", *rows]))
    return file


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_section_is_labelled(store: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--labels", str(labels), "--positive", "grade 3", "--ignore", "fat"]
    assert run(["store", "label", str(store), "S2", *words, "--json", "-q"]) == 0
    shown = document(capsys)
    notes = shown.pop("notes")
    assert shown == {
        "id": "S2",
        "spots": 144,
        "labelled": 40,
        "cancer": 40,
        "normal": 0,
        "label_source": "labels.csv",
        "status": "labelled",
    }
    assert any("104 of 144 spots have no label" in note for note in notes)


def test_labels_that_replace_others_are_told(store: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--positive", "grade 3"], ["--positive", "fat"]):
        assert run(["store", "label", str(store), "S2", "--labels", str(labels), *words]) == 0
    shown = capsys.readouterr()
    assert "S2: these replace 144 labels of labels.csv" in shown.err
    assert "labelled" in shown.out


def test_labels_of_unknown_meaning_are_refused_as_at_ingestion(
    store: Path, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["store", "label", str(store), "S2", "--labels", str(labels)]) == 1
    assert "unknown meaning: 'grade 3' (40)" in capsys.readouterr().err


def test_a_label_file_is_needed(store: Path) -> None:
    assert run(["store", "label", str(store), "S2"]) == 2


def test_one_section_and_all_are_shown_in_one_shape(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "show", str(store), "S1", "--json"]) == 0
    assert document(capsys)["sections"]["S1"]["patient"] == "P1"
    assert run(["store", "show", str(store), "--json"]) == 0
    assert list(document(capsys)["sections"]) == ["S1", "S2"]


def test_a_section_is_shown_line_by_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "show", str(store)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "spots 144, 100 um disc, pitch 200 um" in lines
    assert "embeddings -" in lines
    assert any(line.startswith("slide ") and "slide1.png" in line for line in lines)
    assert "labels -" in lines


def test_removed_sections_are_listed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "rm", str(store), "S1", "--json"]) == 0
    shown = capsys.readouterr()
    (removed,) = json.loads(shown.out)["removed"]
    assert (removed["id"], removed["patient"], removed["image"], removed["embeddings"]) == ("S1", "P1", True, [])
    assert removed["bytes"] > 0
    assert "spacrd store gc" in shown.err
    assert run(["store", "ls", str(store), "--json"]) == 0
    assert list(document(capsys)["sections"]) == ["S2"]


@pytest.mark.parametrize("command", [["rm", "S1", "S9"], ["show", "S9"]], ids=["rm", "show"])
def test_an_unknown_section_is_refused(store: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    name, *ids = command
    assert run(["store", name, str(store), *ids]) == 1
    assert "no section 'S9'" in capsys.readouterr().err
    assert list(SpotStore(store).entries) == ["S1", "S2"]


def test_an_id_to_remove_is_needed(store: Path) -> None:
    assert run(["store", "rm", str(store)]) == 2


def test_what_failed_is_shown_until_it_succeeds(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note_failures(SpotStore(store), "detect", {"S1": DetectorError("no genes", hint="look")})
    note_failures(SpotStore(store), "ingest", {"S9": CountsError("no counts")})
    assert run(["store", "show", str(store), "--json"]) == 0
    shown = document(capsys)
    assert shown["failures"] == [
        {"section": "S1", "step": "detect", "error": "no genes", "hint": "look"},
        {"section": "S9", "step": "ingest", "error": "no counts", "hint": ""},
    ]
    of_sections = {name: [failure["error"] for failure in item["failures"]] for name, item in shown["sections"].items()}
    assert of_sections == {"S1": ["no genes"], "S2": []}
    assert run(["store", "show", str(store)]) == 0
    text = capsys.readouterr().out
    assert "detect: no genes" in text
    assert text.index("not ingested") < text.index("no counts")
    note_failures(SpotStore(store), "detect", {"S1": None})
    assert run(["store", "show", str(store), "S1", "--json"]) == 0
    assert document(capsys)["failures"] == []


def test_gc_names_a_link_and_leaves_it(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home" / "thesis"
    home.mkdir(parents=True)
    (store / "sections" / "S9").symlink_to("../../home")
    assert run(["store", "gc", str(store), "--all", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"removed": [], "links": ["sections/S9"]}
    assert "sections/S9 is a link; it was left as it is" in shown.err
    assert home.is_dir()


def test_slides_on_another_disk_are_refused_in_a_sentence(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (store / "slides").rename(tmp_path / "slides")
    (store / "slides").symlink_to(tmp_path / "slides")
    for command in (["store", "gc", str(store)], ["store", "verify", str(store)], ["store", "ls", str(store)]):
        assert run(command) == 1
        error = capsys.readouterr().err
        assert f"error: {store / 'slides'} is a link, and a store must not contain links" in error
        assert "hint: " in error
    assert list((tmp_path / "slides").iterdir())


def test_verify_says_which_groups_only_it_verifies(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((store / "spacrd.json").read_text())
    manifest["sections"]["S1"]["slide"].pop("layout")
    (store / "spacrd.json").write_text(json.dumps(manifest))
    assert run(["store", "verify", str(store), "-q"]) == 0
    shown = capsys.readouterr()
    assert "3 groups, 0 damaged" in shown.out
    assert "1 of 3 groups are of an earlier version" in shown.err
