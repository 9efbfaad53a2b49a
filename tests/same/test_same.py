"""One seed gives one result, byte for byte, whatever else a user or a machine chooses."""

import fnmatch
import sys
from pathlib import Path

import pytest

from same.chain import COHORT
from same.compare import Workshop, write_cohort, write_small_cohort
from same.left import MAY_DIFFER, differences, left
from same.variants import ALONE, AT_ONCE, USUAL, Variant


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("same")
    return Workshop(folder, write_small_cohort(folder))


@pytest.fixture(scope="module")
def usual(workshop: Workshop) -> dict[str, str]:
    """The checksums of what the usual run leaves."""
    return workshop.run(USUAL)


@pytest.mark.slow
def test_everything_at_once_changes_no_byte(workshop: Workshop, usual: dict[str, str]) -> None:
    assert differences(workshop.run(AT_ONCE), usual) == []


@pytest.mark.slow
@pytest.mark.parametrize("variant", ALONE, ids=str)
def test_nothing_alone_changes_a_byte(
    workshop: Workshop, usual: dict[str, str], variant: Variant, capsys: pytest.CaptureFixture[str]
) -> None:
    if reason := workshop.missing(variant):
        pytest.skip(reason)
    found = differences(workshop.run(variant), usual)
    with capsys.disabled():
        sys.stdout.write(f"\n{variant.axis:<18} {variant.name:<30} {len(usual):>4} files, {len(found)} differ ")
    assert found == []


@pytest.mark.slow
@pytest.mark.her2st
def test_everything_at_once_changes_no_byte_of_real_sections(her2st: Path, tmp_path: Path) -> None:
    labels = {name: her2st / f"labels_transferred/{name}.csv" for name in ("A2", "B4", "C2")}
    rows = [
        {"path": her2st / f"ST-cnts/{name}.tsv.gz", "name": name, "patient": name[0], "labels": file}
        for name, file in labels.items()
    ]
    real = Workshop(tmp_path, write_cohort(tmp_path / COHORT, rows))
    assert differences(real.run(AT_ONCE), real.run(USUAL)) == []


def test_all_that_is_tried_alone_is_tried_at_once_too() -> None:
    assert set[str]().union(*(variant.changes for variant in ALONE)) <= AT_ONCE.changes


def test_a_file_of_other_bytes_and_a_missing_one_are_found(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same").write_bytes(b"")
        (tmp_path / name / "file").write_bytes(name.encode())
    (tmp_path / "one/more").write_bytes(b"")
    one, other = (left(tmp_path / name, tmp_path) for name in ("one", "other"))
    assert differences(one, other) == ["store/file", "store/more"]


@pytest.mark.slow
def test_what_may_differ_is_there(usual: dict[str, str]) -> None:
    assert all(fnmatch.filter(usual, name) for name in MAY_DIFFER)
