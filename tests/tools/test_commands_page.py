"""`docs/commands.md` is generated from the commands and up to date."""

import re
from pathlib import Path

import pytest
from commands_page import page
from commands_settings import TABLES
from conftest import Install
from pydantic import BaseModel

from spacrd_cli.commands.call import CallConfig
from spacrd_cli.commands.detect import DetectConfig
from spacrd_cli.commands.embed import EmbedConfig
from spacrd_cli.commands.evaluate import EvaluateConfig
from spacrd_cli.commands.ingest import IngestConfig
from spacrd_cli.commands.train import TrainConfig
from spacrd_core.plugins import load_plugins

COMMITTED = Path(__file__).parents[2] / "docs/commands.md"
CONFIGS: dict[str, type[BaseModel]] = {
    "call": CallConfig,
    "ingest": IngestConfig,
    "embed": EmbedConfig,
    "train": TrainConfig,
    "detect": DetectConfig,
    "evaluate": EvaluateConfig,
}


def section(command: str) -> str:
    """The section of one command."""
    return COMMITTED.read_text().partition(f"\n## spacrd {command}\n")[2].partition("\n## ")[0]


def test_the_page_is_generated_from_the_commands_whatever_the_width_and_the_plugins(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("mylab")
    assert "mylab" in [card.name for card in load_plugins().readers]
    monkeypatch.setenv("COLUMNS", "40")
    assert page() == COMMITTED.read_text(), "run: python tools/commands_page.py > docs/commands.md"


@pytest.mark.parametrize("command", CONFIGS)
def test_every_setting_of_a_command_is_listed_with_what_it_means(command: str) -> None:
    rows = dict(re.findall(r"^\| `([a-z][\w.]*)` \|.*\| (.*?) \|$", section(command), re.MULTILINE))
    fields = CONFIGS[command].model_fields
    assert {key.partition(".")[0] for key in rows} == set(fields)
    for key, field in fields.items():
        nested = field.annotation
        if key not in TABLES and isinstance(nested, type) and issubclass(nested, BaseModel):
            assert {f"{key}.{name}" for name in nested.model_fields} <= set(rows)
    assert all(rows.values()), f"without a meaning: {[key for key, meaning in rows.items() if not meaning]}"
