"""Groups of held-out patients that are kept: who uses them, and what damage does."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from core.conftest import MakeData

from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.kept_groups import KeptGroups
from spacrd_core.detector.training_folder import (
    contents_of,
    is_done,
    keep,
    remove_kept,
    require_training_folder,
    training_folder,
)
from spacrd_core.errors import OutputError
from spacrd_core.model.cross_validation import OutOfFold
from spacrd_core.model.folds import Groups
from spacrd_core.model.held_out_group import HeldOutGroup
from spacrd_core.prior.options import PriorOptions

GROUPS: Groups = (("A",), ("B", "C"))
PRIOR = PriorOptions()
REMOVE_KEPT = """
import sys, time
from pathlib import Path
from spacrd_core.detector.training_folder import remove_kept
while True:
    remove_kept(Path(sys.argv[1]))
    time.sleep(0.002)
"""


class Scored:
    """A cross-validation that gives every labelled spot a number, and remembers the groups that it was asked for."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, ...]] = []

    def __call__(self, sections: Sequence[SectionData], groups: Groups, *_: object) -> Iterator[HeldOutGroup]:
        for group in groups:
            self.groups.append(group)
            held_out = [section for section in sections if section.patient in group]
            yield HeldOutGroup(group, [OutOfFold(each, {"genes": {"genes": each.xy_um[:, 0]}}) for each in held_out])


@pytest.fixture
def sections(make_data: MakeData) -> list[SectionData]:
    return [make_data("A", 1), make_data("B", 2), make_data("C", 3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return training_folder(tmp_path / "det")


def held_out(
    sections: Sequence[SectionData], folder: Path, *, prior: PriorOptions | None = PRIOR, **facts: Any
) -> tuple[list[HeldOutGroup], list[tuple[str, ...]]]:
    """The groups, and those that were scored anew."""
    validate = Scored()
    kept = KeptGroups(folder=folder, facts={"seed": 42} | facts, validate=validate)
    return list(kept(sections, GROUPS, lambda *_: pytest.fail("it trains nothing itself"), prior)), validate.groups


def test_what_was_kept_is_not_done_again_and_is_the_same(sections: list[SectionData], folder: Path) -> None:
    before, asked = held_out(sections, folder)
    assert (asked, [each.kept for each in before]) == ([*GROUPS], [0, 0])
    after, asked = held_out(sections, folder)
    assert (asked, [each.kept for each in after]) == ([], [2, 2])
    for old, new in zip(before, after, strict=True):
        assert old.group == new.group
        for mine, theirs in zip(old.folds, new.folds, strict=True):
            assert theirs.section is mine.section
            assert np.array_equal(theirs.logits["genes"]["genes"], mine.logits["genes"]["genes"])


def test_a_group_is_kept_as_soon_as_it_is_done(sections: list[SectionData], folder: Path) -> None:
    kept = KeptGroups(folder=folder, facts={"seed": 42}, validate=Scored())
    next(kept(sections, GROUPS, lambda *_: pytest.fail("it trains nothing itself"), PRIOR))
    after, asked = held_out(sections, folder)
    assert asked == [("B", "C")]
    assert [(each.group, each.kept) for each in after] == [(("A",), 1), (("B", "C"), 0)]


def test_nothing_is_used_if_anything_else_is_learned_from(sections: list[SectionData], folder: Path) -> None:
    held_out(sections, folder)
    labels = sections[2].labels.copy()
    labels[0] = 1 - labels[0]
    others: list[tuple[list[SectionData], dict[str, Any]]] = [
        (sections, {"seed": 7}),
        (sections, {"prior": None}),
        (sections[:2], {}),
        ([*sections[:2], replace(sections[2], labels=labels)], {}),
        ([*sections[:2], replace(sections[2], image=None)], {}),
    ]
    for other, facts in others:
        assert held_out(other, folder, **facts)[1] == [*GROUPS]
    assert held_out(sections, folder)[1] == []


def cut_off(file: Path) -> None:
    os.truncate(file, 100)


def change_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


def make_huge(file: Path) -> None:
    os.truncate(file, 2**40)  # sparse: nothing may read it whole


def make_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_a_broken_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


@pytest.mark.parametrize("damage", [cut_off, change_a_bit, make_huge, make_a_pipe, make_a_folder, make_a_broken_link])
def test_what_is_damaged_is_done_again(
    sections: list[SectionData], folder: Path, damage: Callable[[Path], None]
) -> None:
    kept = KeptGroups(folder=folder, facts={"seed": 42}, validate=Scored())
    next(kept(sections, GROUPS, lambda *_: pytest.fail("it trains nothing itself"), PRIOR))
    (file,) = folder.iterdir()
    damage(file)
    if damage is make_a_folder:
        remove_kept(folder)  # a folder of this name is nobody's work, and in nobody's way
        assert folder.exists()
        file.rmdir()
    assert held_out(sections, folder)[1] == [*GROUPS]
    assert held_out(sections, folder)[1] == []


def test_only_what_trainings_kept_is_removed(sections: list[SectionData], folder: Path, tmp_path: Path) -> None:
    held_out(sections, folder)
    (folder / "notes.txt").write_text("mine")
    remove_kept(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    held_out(sections, folder, seed=7)
    remove_kept(folder)
    assert not folder.exists()
    folder.symlink_to(tmp_path)
    remove_kept(folder)
    assert folder.is_symlink()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_or_a_file_in_the_way_is_named(folder: Path, tmp_path: Path, kind: str) -> None:
    require_training_folder(folder)
    if kind == "link":
        folder.symlink_to(tmp_path)
    else:
        folder.touch()
    with pytest.raises(OutputError, match=rf"cannot save its progress in {folder}, which is a {kind}"):
        require_training_folder(folder)


def test_without_groups_no_folder_is_made(sections: list[SectionData], folder: Path) -> None:
    kept = KeptGroups(folder=folder, facts={}, validate=Scored())
    assert not list(kept(sections, (), lambda *_: pytest.fail("it trains nothing itself"), None))
    assert not folder.exists()


def test_another_training_may_remove_what_is_kept_at_any_moment(folder: Path) -> None:
    key, content = "0" * 32, b"content"
    with subprocess.Popen([sys.executable, "-c", REMOVE_KEPT, str(folder)]) as process:
        try:
            for _ in range(1000):
                keep(folder, key, content)
                assert list(contents_of(folder, key, limit=100)) in ([], [content])
                is_done(folder, key)
        finally:
            process.kill()
