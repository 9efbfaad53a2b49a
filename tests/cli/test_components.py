"""A plugin that cannot be used is named by the commands that might need it, and stops none of them."""

from pathlib import Path

import pytest
from conftest import Install, MakeSection

from spacrd_cli.main import run
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_a_command_names_the_plugin_that_cannot_be_loaded_and_goes_on(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], make_section: MakeSection, quiet: list[str]
) -> None:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "A", "made1"))
    install("broken_import")
    assert run(["embed", str(store.path), "--encoder", "stain", *quiet]) == 0
    assert SpotStore.open(store.path).entry("S1").embeddings
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert "broken_import could not be loaded: " in note
