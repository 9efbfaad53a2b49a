"""Which libraries a command loads: the wait before its first word."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

HEAVY = ("torch", "timm", "anndata", "zarr", "huggingface_hub", "numpy", "pandas", "scipy", "sklearn", "matplotlib")
PROBE = """
import sys
from spacrd_cli.main import run
code = run(sys.argv[1:])
print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)
raise SystemExit(code)
"""


def loaded_by(*arguments: str) -> set[str]:
    """Return the packages that a command has loaded when it ends."""
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(done.stderr.splitlines()[-1].split())


FIRST_WORDS = """
import sys
from spacrd_cli.main import run
from spacrd_cli.terminal.output import Output

def stop(self, sentence):
    print(*{name.partition('.')[0] for name in sys.modules})
    raise SystemExit

Output.info = stop
run(sys.argv[1:])
"""


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> str:
    """A store with one section."""
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    return str(store.path)


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plugins"], ["plugins", "list"], ["plugins", "--json"], ["--version"], [], ["detect", "--help"]],
)
def test_help_version_and_plugins_load_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & {*HEAVY}


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("command", [["ls"], ["verify"], ["gc"]])
def test_commands_that_need_only_the_manifest_load_nothing_heavy(command: list[str], store: str) -> None:
    assert not loaded_by("store", *command, store) & {*HEAVY}


@pytest.mark.slow
def test_removing_a_section_loads_nothing_heavy(store: str) -> None:
    assert not loaded_by("store", "rm", store, "S1") & {*HEAVY}


@pytest.mark.slow
def test_detection_loads_no_library_that_draws_or_downloads(store: str) -> None:
    loaded = loaded_by("detect", store, "prior")
    assert "torch" in loaded
    assert not loaded & {"matplotlib", "huggingface_hub", "timm"}


def test_the_package_alone_loads_nothing_heavy() -> None:
    code = "import sys, spacrd_core; spacrd_core.__version__; dir(spacrd_core); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*HEAVY} & {*done.stdout.split()}


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "store", "section"],
        ["call", "section", "-o", "results"],
        ["embed", "store", "--encoder", "stain"],
        ["train", "store", "-o", "detector"],
        ["evaluate", "store"],
        ["detect", "store", "prior"],
        ["report", "store", "prior", "-o", "report.html"],
        ["export", "store", "--format", "csv", "-o", "files"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_says_what_it_does_before_it_loads_anything_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-c", FIRST_WORDS, *arguments]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False).stderr.split()
    assert "spacrd_cli" in loaded
    assert not {*loaded} & {"torch", "timm", "anndata", "zarr", "matplotlib", "sklearn", "pandas"}
