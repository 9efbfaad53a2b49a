"""Where no encoder is named and UNI's weights are not to be had: the ways to them, what works now, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stand_ins.hub import OTHER_TOKEN, Repository, hub, python

from spacrd_cli import main
from spacrd_cli.commands.default_encoder import explaining_the_default
from spacrd_cli.settings import EncoderSettings
from spacrd_core.errors import WeightsError
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import Ticket, add_section

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSection

    from spacrd_core.plugins import Plugins

SPACRD = "import sys; from spacrd_cli.main import run; sys.exit(run(sys.argv[1:]))"
PAGE = "https://huggingface.co/MahmoodLab/UNI"
DEFAULT = "no encoder was named; uni is the default, and its weights are"
GATE = "the weights of MahmoodLab/UNI are gated, and the account of the Hugging Face token is not on its list (403)"


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> Path:
    """A store of one section that is not embedded."""
    made = SpotStore.create(tmp_path / "store")
    add_section(made, make_section(1), Ticket("S1", "P1", "one"))
    return made.path


def test_the_gate_three_ways_to_uni_and_the_encoders_that_work_now_are_told(store: Path, tmp_path: Path) -> None:
    with hub() as server:
        server.repositories["MahmoodLab/UNI"] = Repository(granted=frozenset())
        home = tmp_path / "home"
        home.mkdir()
        arguments = ("-c", SPACRD, "embed", str(store))
        done = python(*arguments, home=home, HF_ENDPOINT=server.address, HF_TOKEN=OTHER_TOKEN)
    said = [line.strip() for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert f"error: {GATE}" in said
    begin = said.index(f"error: {GATE}")
    assert said[begin + 1 : begin + 6] == [
        f"{DEFAULT} gated ({PAGE}) and under CC-BY-NC-ND-4.0. To get them:",
        "1. request access on that page, then `hf auth login` or set HF_TOKEN, and run this again",
        "2. --weights FILE, with the pytorch_model.bin of somebody who has access",
        "3. `hf download MahmoodLab/UNI pytorch_model.bin` where there is a network; HF_HUB_CACHE is that cache",
        "or work without them: --encoder stain (needs no weights), or with open ones:",
    ]
    assert "MIT: midnight" in said
    assert "Apache-2.0: dinov2-b, dinov2-g, dinov2-l, dinov2-s" in said
    assert not SpotStore.open(store).entry("S1").embeddings


def test_only_open_encoders_are_offered(plugins: Plugins, tmp_path: Path) -> None:
    asked = EncoderSettings.model_validate({"weights": tmp_path / "no.bin"})
    with pytest.raises(WeightsError) as refusal, explaining_the_default(plugins.encoders, asked):
        plugins.encoders.create(asked.name, asked.options)
    offered = [line for line in refusal.value.context if line.startswith("  ") and not line[2].isdigit()]
    names = {name for line in offered for name in line.rpartition(": ")[2].split(", ")}
    expected = {card.name for card in plugins.encoders if card.recipe and not card.recipe.gated}
    assert names & expected == expected - {"stain"}
    assert not {card.name for card in plugins.encoders if card.recipe and card.recipe.gated} & names


def test_a_named_encoder_is_not_talked_out_of(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["embed", str(store), "--encoder", "uni", "--weights", "no.bin"]) == 1
    told = capsys.readouterr().err
    assert "there is no weights file at" in told
    assert "the default" not in told
