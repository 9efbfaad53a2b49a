"""The examples in the docstrings of the public functions, run in order on three small sections."""

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import spacrd_core
from spacrd_core.demo.cohort import write_demo_cohort

STEPS = ("ingest", "embed", "train", "load_detector", "detect", "write_results", "plot_section", "evaluate")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A folder with three sections in the files of legacy ST, and the names of the notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    write_demo_cohort(folder, platforms=("st",) * 3)
    return folder, {name: getattr(spacrd_core, name) for name in spacrd_core.__all__}


@pytest.mark.parametrize("step", STEPS)
def test_the_example_of_every_function_gives_its_output(
    step: str, notebook: tuple[Path, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, names = notebook
    monkeypatch.chdir(folder)
    module = import_module(f"spacrd_core.{spacrd_core.MODULES[step]}")
    examples = doctest.DocTestFinder().find(module, extraglobs={}, globs={})
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in (each for each in examples if each.examples):
        example.globs = names
        assert runner.run(example, out=output.append, clear_globs=False).failed == 0, "".join(output)
    assert runner.tries


def test_every_step_has_an_example() -> None:
    functions = [spacrd_core.ingest, spacrd_core.embed, spacrd_core.train, spacrd_core.detect, spacrd_core.evaluate]
    for function in [*functions, spacrd_core.write_results, spacrd_core.load_detector, spacrd_core.plot_section]:
        assert ">>> " in (function.__doc__ or "")


def test_every_name_of_the_interface_can_be_imported() -> None:
    assert set(spacrd_core.__all__) == set(spacrd_core.MODULES)
    for name in spacrd_core.__all__:
        assert getattr(spacrd_core, name)
    assert dir(spacrd_core) == sorted(spacrd_core.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'spacrd_core' has no attribute 'predict'$"):
        _ = spacrd_core.predict


def test_importing_the_package_loads_no_torch() -> None:
    code = "import spacrd_core, sys; sys.exit('torch' in sys.modules or 'anndata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
