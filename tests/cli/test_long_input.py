"""Messages about input of any length are short."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_cli.main import run
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

LONG = "x" * 3_000_000
MAX_LENGTH = 5000


def config(folder: Path) -> list[str]:
    (folder / "long.toml").write_text(f"{LONG} = 1\n")
    return ["embed", f"{folder}/store", "--config", f"{folder}/long.toml"]


def config_of_many(folder: Path) -> list[str]:
    (folder / "many.toml").write_text("\n".join(f"x{number} = 1" for number in range(20_000)))
    return ["embed", f"{folder}/store", "--config", f"{folder}/many.toml"]


def cohort(folder: Path) -> list[str]:
    (folder / "long.csv").write_text(f"path,{LONG[:100_000]}\nS1,1\n")
    return ["ingest", f"{folder}/store", "--cohort", f"{folder}/long.csv"]


def label_text(folder: Path) -> list[str]:
    (folder / "labels.csv").write_text(f"spot_id,label\n1x1,{LONG}\n1x2,tumor\n")
    return ["store", "label", f"{folder}/store", "S1", "--labels", f"{folder}/labels.csv"]


def label_id(folder: Path) -> list[str]:
    (folder / "ids.csv").write_text(f"spot_id,label\n{LONG},tumor\n")
    return ["store", "label", f"{folder}/store", "S1", "--labels", f"{folder}/ids.csv"]


def label_column(folder: Path) -> list[str]:
    (folder / "columns.csv").write_text(f"{LONG},{LONG}y\n1,2\n")
    return ["store", "label", f"{folder}/store", "S1", "--labels", f"{folder}/columns.csv"]


def section(folder: Path) -> list[str]:
    return ["store", "show", f"{folder}/store", LONG[:100_000]]


def manifest(folder: Path) -> list[str]:
    file = folder / "store" / "spacrd.json"
    content = json.loads(file.read_text())
    content["sections"]["S1"] |= {"spots": LONG, "platform": [LONG], LONG: 1}
    file.write_text(json.dumps(content))
    return ["store", "ls", f"{folder}/store"]


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize(
    "write", [config, config_of_many, cohort, label_text, label_id, label_column, section, manifest]
)
def test_a_message_is_not_as_long_as_its_input(
    write: Callable[[Path], list[str]], tmp_path: Path, make_section: MakeSection, capsys: pytest.CaptureFixture[str]
) -> None:
    add_section(SpotStore.create(tmp_path / "store"), make_section(1, image=False), SectionKey("S1", "P1", "one"))
    assert run(write(tmp_path)) == 1
    shown = capsys.readouterr()
    assert len(shown.err) < MAX_LENGTH
    assert "error: " in shown.err
    assert "bug in SpaCRD" not in shown.err
