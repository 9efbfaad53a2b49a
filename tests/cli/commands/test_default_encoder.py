"""Without access to UNI's weights and with no encoder named: how to get them, and which encoders work now."""

from pathlib import Path

import pytest
from conftest import MakeSection
from stand_ins.hub import OTHER_TOKEN, Repository, hub, python

from spacrd_cli import main
from spacrd_cli.commands.default_encoder import suggest_encoders
from spacrd_cli.settings import EncoderSettings
from spacrd_core.errors import WeightsError
from spacrd_core.plugins import Plugins
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

SPACRD = "import sys; from spacrd_cli.main import run; sys.exit(run(sys.argv[1:]))"
PAGE = "https://huggingface.co/MahmoodLab/UNI"
DEFAULT = "no encoder was named; uni is the default, and its weights are"
GATE = (
    "cannot download the weights from MahmoodLab/UNI: the repository is gated, and the account of the Hugging Face "
    "token has no access (403)"
)


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> Path:
    """A store of one section that is not embedded."""
    made = SpotStore.create(tmp_path / "store")
    add_section(made, make_section(1), SectionKey("S1", "P1", "one"))
    return made.path


@pytest.mark.slow
def test_the_error_lists_three_ways_to_the_weights_and_the_open_encoders(store: Path, tmp_path: Path) -> None:
    with hub() as server:
        server.repositories["MahmoodLab/UNI"] = Repository(granted=frozenset())
        home = tmp_path / "home"
        home.mkdir()
        arguments = ("-c", SPACRD, "embed", str(store))
        done = python(*arguments, home=home, HF_ENDPOINT=server.address, HF_TOKEN=OTHER_TOKEN)
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert f"error: {GATE}" in lines
    begin = lines.index(f"error: {GATE}")
    assert lines[begin + 1 : begin + 6] == [
        f"{DEFAULT} gated ({PAGE}) and under CC-BY-NC-ND-4.0. To get them:",
        "1. request access on that page, run `hf auth login` or set HF_TOKEN, and repeat this command",
        "2. or pass --weights FILE with a copy of pytorch_model.bin",
        "3. or run `hf download MahmoodLab/UNI pytorch_model.bin` with a network, and set HF_HUB_CACHE to that cache",
        "or use an encoder without weights: --encoder stain; or one with open weights:",
    ]
    assert lines[begin + 6] == (
        "robust to scanner and staining: midnight-spectra (MIT), "
        "hf-hub:medarc/OpenMidnight-1.1-SPECTRA (licence unknown)"
    )
    assert "MIT: midnight" in lines
    assert "Apache-2.0: dinov2-b, dinov2-g, dinov2-l, dinov2-s" in lines
    assert not SpotStore.open(store).entry("S1").embeddings


def test_only_open_encoders_are_suggested(plugins: Plugins, tmp_path: Path) -> None:
    settings = EncoderSettings.model_validate({"weights": tmp_path / "no.bin"})
    with pytest.raises(WeightsError) as refusal, suggest_encoders(plugins.encoders, settings):
        plugins.encoders.create(settings.name, settings.options)
    offered = [line for line in refusal.value.context if line.startswith("  ") and not line[2].isdigit()]
    names = {name.partition(" (")[0] for line in offered for name in line.rpartition(": ")[2].split(", ")}
    expected = {card.name for card in plugins.encoders if card.recipe and not card.recipe.gated}
    assert names & expected == expected - {"stain"}
    assert names - expected == {"hf-hub:medarc/OpenMidnight-1.1-SPECTRA"}
    assert not {card.name for card in plugins.encoders if card.recipe and card.recipe.gated} & names


def test_a_named_encoder_gets_no_suggestions(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["embed", str(store), "--encoder", "uni", "--weights", "no.bin"]) == 1
    stderr = capsys.readouterr().err
    assert "there is no weights file at" in stderr
    assert "the default" not in stderr
